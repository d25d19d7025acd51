internal import Yams

/// YAML with bounds. A settings file may come from anybody who may drop a file into the inbox.
enum YAMLReader {
    /// Bytes of a file.
    static let sizeLimit = 1 << 20
    /// Aliases in a file. So few cannot blow up: their expansion stays within some hundred times the file. That is more
    /// than enough work in a large file, so a large file may have none.
    static func aliasLimit(bytes: Int) -> Int { bytes <= 64 << 10 ? 16 : 0 }
    /// Values, after aliases are expanded.
    static let nodeLimit = 50_000
    static let depthLimit = 12

    /// The root of the one document; `null` for an empty file.
    static func read(_ bytes: [UInt8]) throws(SettingsProblem) -> SettingsNode {
        guard bytes.count <= sizeLimit else { throw tooLarge(bytes.count) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SettingsProblem(
                code: "settings.not-utf8", message: "the text is not UTF-8", remedy: "Save the file as UTF-8.")
        }
        let aliases = countAliases(bytes)
        let aliasLimit = aliasLimit(bytes: bytes.count)
        guard aliases <= aliasLimit else {
            throw SettingsProblem(
                code: "settings.too-many-aliases", message: "there are \(aliases) aliases (*name)",
                remedy: "Write the values out; at most \(aliasLimit) aliases are allowed in a file of this size.")
        }
        let root: Node?
        do {
            root = try Parser(yaml: text).singleRoot()
        } catch {
            throw problem(error)
        }
        var left = nodeLimit
        guard let root else { return SettingsNode(content: .null) }
        return try convert(root, depth: 0, left: &left)
    }

    static func tooLarge(_ count: Int) -> SettingsProblem {
        SettingsProblem(
            code: "settings.too-large", message: "the file has \(count) bytes",
            remedy: "Keep it below \(sizeLimit) bytes; is it a settings file at all?")
    }

    /// An upper bound of the aliases: asterisks where a value may begin, followed by something. Text in quotes and
    /// comments is counted as well where it looks alike.
    private static func countAliases(_ bytes: [UInt8]) -> Int {
        var count = 0
        var last = UInt8(ascii: "\n")
        for (index, byte) in bytes.enumerated() {
            // YAML has line breaks beyond ASCII.
            let mayBegin = last >= 0x80 || " \t\r\n[{,:?-".utf8.contains(last)
            if byte == UInt8(ascii: "*"), mayBegin, index + 1 < bytes.count,
                !" \t\r\n".utf8.contains(bytes[index + 1])
            {
                count += 1
            }
            last = byte
        }
        return count
    }

    private static func convert(_ node: Node, depth: Int, left: inout Int) throws(SettingsProblem) -> SettingsNode {
        let place = node.mark.map { SettingsPlace(line: $0.line, column: $0.column) }
        left -= 1
        guard left >= 0, depth <= depthLimit else {
            throw SettingsProblem(
                code: "settings.too-complex",
                message: left < 0 ? "there are more than \(nodeLimit) values" : "values are nested too deeply",
                remedy: "Settings are a few short lists and mappings; write them out without aliases.", place: place)
        }
        switch node {
        case .scalar(let scalar):
            let quoted = scalar.style != .plain && scalar.style != .any
            if !quoted, ["", "~", "null", "Null", "NULL"].contains(scalar.string) {
                return SettingsNode(content: .null, place: place)
            }
            return SettingsNode(content: .scalar(scalar.string, quoted: quoted), place: place)
        case .sequence(let sequence):
            var items: [SettingsNode] = []
            for item in sequence { items.append(try convert(item, depth: depth + 1, left: &left)) }
            return SettingsNode(content: .list(items), place: place)
        case .mapping(let mapping):
            var pairs: [(key: SettingsNode, value: SettingsNode)] = []
            for (key, value) in mapping {
                pairs.append(
                    (
                        try convert(key, depth: depth + 1, left: &left),
                        try convert(value, depth: depth + 1, left: &left)
                    ))
            }
            return SettingsNode(content: .mapping(pairs), place: place)
        case .alias:
            throw SettingsProblem(
                code: "settings.syntax", message: "an alias has no value", remedy: "Write the value out.", place: place)
        }
    }

    private static func problem(_ error: any Error) -> SettingsProblem {
        func syntax(_ message: String, _ mark: Mark?) -> SettingsProblem {
            SettingsProblem(
                code: "settings.syntax", message: message, remedy: "Correct the YAML at this place.",
                place: mark.map { SettingsPlace(line: $0.line, column: $0.column) })
        }
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            return syntax(problem, mark)
        case YamlError.duplicatedKeysInMapping(let duplicates, let context):
            return SettingsProblem(
                code: "settings.duplicate-key", message: "\(duplicates.joined(separator: ", ")) is given twice",
                remedy: "Keep one of them.",
                place: SettingsPlace(line: context.mark.line, column: context.mark.column))
        case YamlError.reader(let problem, _, _, _):
            return syntax(problem, nil)
        default:
            return syntax("the text is not YAML", nil)
        }
    }
}
