/// A place in a settings file, both counted from 1.
public struct SettingsPlace: Sendable, Hashable {
    public var line: Int
    public var column: Int
}

/// A value as it was written: in YAML, in the environment or on the command line.
struct SettingsNode: Sendable {
    enum Content: Sendable {
        case null
        /// A scalar's text. `quoted` ones are never numbers or flags.
        case scalar(String, quoted: Bool)
        case list([SettingsNode])
        case mapping([(key: SettingsNode, value: SettingsNode)])
    }

    var content: Content
    var place: SettingsPlace?

    static func plain(_ text: String) -> SettingsNode { SettingsNode(content: .scalar(text, quoted: false)) }

    /// What it is, for messages.
    var kind: String {
        switch content {
        case .null: "nothing"
        case .scalar(let text, quoted: true): "the text \"\(text.prefix(40))\""
        case .scalar(let text, quoted: false): "'\(text.prefix(40))'"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }

    /// The text of a scalar.
    var text: String? {
        guard case .scalar(let text, _) = content else { return nil }
        return text
    }

    /// The text of a scalar that may be a number or a flag.
    var plainText: String? {
        guard case .scalar(let text, quoted: false) = content else { return nil }
        return text
    }

    func problem(_ code: String, _ message: String, remedy: String) -> SettingsProblem {
        SettingsProblem(code: code, message: message, remedy: remedy, place: place)
    }

    func wrongType(expected: String) -> SettingsProblem {
        problem("settings.wrong-type", "\(kind) is not \(expected)", remedy: "Write \(expected).")
    }
}
