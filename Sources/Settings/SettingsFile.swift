public import ConverterKit

/// A settings file that was read and found in order.
public struct SettingsFile: Sendable {
    /// What a file may contain.
    public enum Role: Sendable, Hashable {
        /// Every setting.
        case daemon
        /// Settings of one conversion, beside its model. Comes from whoever drops models, so links are not followed.
        case sidecar
    }

    public let path: String
    public let role: Role
    let layer: SettingsLayer

    /// Reads a file; throws the first error, with its line and column, of kind `configuration`.
    public static func load(
        path: String, role: Role = .daemon, vocabulary: SettingsVocabulary? = nil
    ) throws(ConversionError) -> SettingsFile {
        let (file, problems) = inspect(path: path, role: role, vocabulary: vocabulary)
        try throwFirst(of: problems)
        return file
    }

    /// Settings given as text; `name` stands for the file in messages.
    public static func parse(
        _ text: String, name: String, role: Role = .daemon, vocabulary: SettingsVocabulary? = nil
    ) throws(ConversionError) -> SettingsFile {
        let (file, problems) = inspect(Array(text.utf8), path: name, role: role, vocabulary: vocabulary)
        try throwFirst(of: problems)
        return file
    }

    /// What the file gives, as JSON in its own order.
    public var json: String { layer.summary }

    static func inspect(
        path: String, role: Role, vocabulary: SettingsVocabulary?
    ) -> (file: SettingsFile, problems: [SettingsProblem]) {
        do throws(SettingsProblem) {
            return inspect(try bytes(of: path, role: role), path: path, role: role, vocabulary: vocabulary)
        } catch {
            return (SettingsFile(path: path, role: role, layer: SettingsLayer()), [error.of(path)])
        }
    }

    private static func inspect(
        _ bytes: [UInt8], path: String, role: Role, vocabulary: SettingsVocabulary?
    ) -> (file: SettingsFile, problems: [SettingsProblem]) {
        do throws(SettingsProblem) {
            let root = try YAMLReader.read(bytes)
            let scope: SettingKey.Scope = role == .daemon ? .file : .sidecar
            let (layer, problems) = SettingsLayer.read(root, scope: scope, vocabulary: vocabulary)
            return (SettingsFile(path: path, role: role, layer: layer), problems.map { $0.of(path) })
        } catch {
            return (SettingsFile(path: path, role: role, layer: SettingsLayer()), [error.of(path)])
        }
    }

    private static func bytes(of path: String, role: Role) throws(SettingsProblem) -> [UInt8] {
        do throws(ConversionError) {
            let file = try OpenFile(path: path, followingLinks: role == .daemon)
            guard file.size <= YAMLReader.sizeLimit else { throw YAMLReader.tooLarge(file.size).error() }
            return try ByteSource(file: file, offset: 0, count: file.size).bytes()
        } catch {
            if error.code == "settings.too-large" {
                throw SettingsProblem(code: error.code.name, message: error.message, remedy: error.remedy)
            }
            let missing = error.code == "input.missing"
            throw SettingsProblem(
                code: missing ? "settings.missing" : "settings.unreadable",
                message: missing
                    ? "there is no such file" : "the file cannot be read" + (error.cause.map { ": \($0)" } ?? ""),
                remedy: missing
                    ? "Check the path given by --config." : "It must be a regular file that this process may read.")
        }
    }

    static func throwFirst(of problems: [SettingsProblem]) throws(ConversionError) {
        let errors = problems.filter { $0.severity == .error }
        if let first = errors.first { throw first.error(others: errors.count - 1) }
    }
}
