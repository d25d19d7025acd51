public import ConverterKit

/// Something wrong with a setting, with its place.
public struct SettingsProblem: Error, Sendable, Hashable {
    public enum Severity: String, Sendable, Hashable, CaseIterable {
        /// The settings are not used.
        case error
        /// The settings are used; a person should know.
        case warning
    }

    /// `settings.…`, in kebab case.
    public var code: String
    public var message: String
    public var remedy: String
    public var severity: Severity
    /// The setting, such as `folders.vision.max_error`.
    public var key: String?
    /// The file, the variable of the environment, or the option.
    public var source: String?
    public var place: SettingsPlace?

    init(
        code: String, message: String, remedy: String, severity: Severity = .error, key: String? = nil,
        source: String? = nil, place: SettingsPlace? = nil
    ) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.severity = severity
        self.key = key
        self.source = source
        self.place = place
    }

    /// Every code of this module.
    public static let codes = [
        "settings.missing", "settings.unreadable", "settings.too-large", "settings.not-utf8", "settings.syntax",
        "settings.duplicate-key", "settings.too-many-aliases", "settings.too-complex", "settings.not-a-mapping",
        "settings.unknown-key", "settings.unknown-variable", "settings.wrong-type", "settings.out-of-range",
        "settings.unknown-value", "settings.misplaced-key",
    ]

    /// The same problem within `key`.
    func within(_ key: String) -> SettingsProblem {
        var copy = self
        copy.key = self.key.map { $0.hasPrefix("[") ? key + $0 : "\(key).\($0)" } ?? key
        return copy
    }

    /// The same problem with its source and, where it has none yet, a place.
    func of(_ source: String, at place: SettingsPlace? = nil) -> SettingsProblem {
        var copy = self
        copy.source = source
        copy.place = self.place ?? place
        return copy
    }

    /// The problem as the program's error, of kind `configuration`; `others` is the number of further errors.
    public func error(others: Int = 0) -> ConversionError {
        ConversionError(
            .init(code), .configuration, lead + message, remedy: remedy, site: .init(file: source),
            cause: others > 0 ? "there \(others == 1 ? "is one more error" : "are \(others) more errors")" : nil)
    }

    private var lead: String {
        let position = place.map { "line \($0.line), column \($0.column): " } ?? ""
        return position + (key.map { "\($0): " } ?? "")
    }
}

extension SettingsProblem: CustomStringConvertible {
    /// `FILE:LINE:COLUMN: error: KEY: MESSAGE [CODE]`, as compilers write it, and the remedy on a line of its own.
    public var description: String {
        let position = place.map { ":\($0.line):\($0.column)" } ?? ""
        let key = key.map { "\($0): " } ?? ""
        return
            "\(source ?? "settings")\(position): \(severity.rawValue): \(key)\(message) [\(code)]\n  remedy: \(remedy)"
    }
}
