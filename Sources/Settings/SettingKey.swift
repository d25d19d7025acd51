/// One setting: its name in every layer, what it means, what it may be, and where it may be given.
public struct SettingKey: Sendable {
    /// A place where settings are given.
    public enum Scope: Sendable, Hashable, CaseIterable {
        case file
        case environment
        case option
        /// A folder's settings in the file.
        case folder
        /// A model's own file, `NAME.rene.yaml`.
        case sidecar
    }

    /// When a changed value takes effect.
    public enum Reload: Sendable, Hashable {
        /// For the jobs and decisions that follow a reload.
        case live
        /// At the daemon's next start.
        case restart
    }

    typealias Assignment = @Sendable (inout DaemonSettings) -> Void

    /// In snake case. With dashes in place of underscores, as options are spelled, it is accepted as well.
    public let name: String
    public let summary: String
    public let scopes: Set<Scope>
    public let reload: Reload
    let schema: JSONText
    let read: @Sendable (SettingsNode) throws(SettingsProblem) -> Assignment
    let node: @Sendable (String) -> SettingsNode
    let show: @Sendable (DaemonSettings) -> JSONText

    /// Where the settings of a single conversion may be given, those that the daemon must know without reading what came
    /// with the model, and those of the daemon itself.
    static let job = Set(Scope.allCases)
    static let folders = job.subtracting([.sidecar])
    static let daemon: Set<Scope> = [.file, .environment, .option]

    init<Value: Sendable>(
        _ name: String, _ path: any WritableKeyPath<DaemonSettings, Value> & Sendable, _ type: ValueType<Value>,
        in scopes: Set<Scope> = daemon, reload: Reload = .live, _ summary: String,
        also: (@Sendable (Value, inout DaemonSettings) -> Void)? = nil
    ) {
        self.name = name
        self.summary = summary
        self.scopes = scopes
        self.reload = reload
        schema = type.schema
        read = { node throws(SettingsProblem) in
            let value = try type.read(node)
            return { settings in
                settings[keyPath: path] = value
                also?(value, &settings)
            }
        }
        node = { text in Self.node(text, form: type.form) }
        show = { type.show($0[keyPath: path]) }
    }

    /// The variable of the environment.
    public var variable: String { "RENE_" + name.uppercased() }

    /// A text of the environment or the command line as a node.
    private static func node(_ text: String, form: TextForm) -> SettingsNode {
        let parts = text.split(separator: ",").map(String.init)
        switch form {
        case .scalar: return .plain(text)
        case .list: return SettingsNode(content: .list(parts.map(SettingsNode.plain)))
        case .mapping:
            let pairs = parts.map { part in
                // Names of nodes may contain the sign themselves.
                guard let sign = part.lastIndex(of: "=") else {
                    return (key: SettingsNode.plain(part), value: SettingsNode.plain(""))
                }
                return (key: .plain(String(part[..<sign])), value: .plain(String(part[part.index(after: sign)...])))
            }
            return SettingsNode(content: .mapping(pairs))
        }
    }
}
