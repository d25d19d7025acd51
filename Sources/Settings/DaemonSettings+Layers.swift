public import Conversion
public import ConverterKit

/// The settings of one model's conversion.
public struct JobSettings: Sendable, Hashable {
    public var conversion: ConversionSettings
    public var priority: Int
    /// `nil`: the daemon chooses, and sets `conversion.threads`.
    public var threads: Int?
}

extension DaemonSettings {
    /// Variables of the environment that begin like settings and are none.
    static let otherVariables: Set<String> = ["RENE_PLUGIN_PATH", "RENE_KERNELS"]

    /// Defaults, under the file, under the environment (`RENE_…`), under options by name, given as text.
    ///
    /// Throws the first error, of kind `configuration`.
    public init(
        file: SettingsFile?, environment: [String: String] = [:], options: [(name: String, value: String)] = [],
        vocabulary: SettingsVocabulary? = nil
    ) throws(ConversionError) {
        self.init()
        file?.layer.apply(to: &self)
        let (variables, inVariables) = Self.layer(environment: environment, vocabulary: vocabulary)
        let (given, inOptions) = Self.layer(options: options, vocabulary: vocabulary)
        try SettingsFile.throwFirst(of: inVariables + inOptions)
        variables.apply(to: &self)
        given.apply(to: &self)
    }

    /// The settings of a model in `folder`, the bytes of its path below the inbox (empty: the inbox itself): those of
    /// the daemon, under those of each folder that matches in the order of the file, under the model's own.
    public func job(in folder: [UInt8], sidecar: SettingsFile? = nil) -> JobSettings {
        var settings = self
        for rule in folders where rule.pattern.matches(folder) { rule.layer.apply(to: &settings) }
        sidecar?.layer.apply(to: &settings)
        return JobSettings(conversion: settings.conversion, priority: settings.priority, threads: settings.threads)
    }

    /// All settings as JSON, by the names that they have in the file.
    public var json: String {
        JSONText.object(SettingKey.all.map { .init(name: $0.name, value: $0.show(self)) }).pretty() + "\n"
    }

    static func layer(
        environment: [String: String], vocabulary: SettingsVocabulary?
    ) -> (layer: SettingsLayer, problems: [SettingsProblem]) {
        var layer = SettingsLayer()
        var problems: [SettingsProblem] = []
        let known = Dictionary(
            uniqueKeysWithValues: SettingKey.all.filter { $0.scopes.contains(.environment) }.map { ($0.variable, $0) })
        for (name, text) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("RENE_") {
            if let key = known[name] {
                // An empty variable is how shells and units take a setting back.
                guard !text.isEmpty else { continue }
                problems += layer.add(key, key.node(text), vocabulary: vocabulary).map { $0.of(name) }
            } else if !otherVariables.contains(name) {
                let near = Spelling.nearest(to: name, among: known.keys.sorted())
                problems.append(
                    SettingsProblem(
                        code: "settings.unknown-variable", message: "\(name) is not a setting and has no effect",
                        remedy: near.map { "Did you mean \($0)?" } ?? "Remove it, or set it in the file.",
                        severity: .warning, source: name))
            }
        }
        return (layer, problems)
    }

    private static func layer(
        options: [(name: String, value: String)], vocabulary: SettingsVocabulary?
    ) -> (layer: SettingsLayer, problems: [SettingsProblem]) {
        var layer = SettingsLayer()
        var problems: [SettingsProblem] = []
        for (name, text) in options {
            let option = "--" + String(name.map { $0 == "_" ? "-" : $0 })
            guard let key = SettingKey.named(name), key.scopes.contains(.option) else {
                problems.append(
                    SettingsProblem(
                        code: "settings.unknown-key", message: "there is no setting '\(name)' for the command line",
                        remedy: "Set it in the file.", source: option))
                continue
            }
            problems += layer.add(key, key.node(text), vocabulary: vocabulary).map { $0.of(option) }
        }
        return (layer, problems)
    }
}

/// What `rene config check` says.
public enum SettingsCheck {
    /// Every error and warning in the file and the environment, in order; empty when all is well.
    public static func problems(
        path: String?, role: SettingsFile.Role = .daemon, environment: [String: String] = [:],
        vocabulary: SettingsVocabulary? = nil
    ) -> [SettingsProblem] {
        let inFile = path.map { SettingsFile.inspect(path: $0, role: role, vocabulary: vocabulary).problems } ?? []
        return inFile + DaemonSettings.layer(environment: environment, vocabulary: vocabulary).problems
    }
}
