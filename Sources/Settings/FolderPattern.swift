/// A pattern of sub-folders of the inbox: `*` and `?` within one name, `**` for any number of names. A folder matches
/// where it or a folder above it does; `**` also matches the inbox itself.
public struct FolderPattern: Sendable, Hashable, CustomStringConvertible {
    public let description: String
    private let names: [[UInt8]]

    /// `nil` for a pattern that could never match: an absolute one, an empty one, or one with `.` or `..`.
    public init?(_ text: String) {
        let text = text.hasSuffix("/") ? String(text.dropLast()) : text
        let names = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Array($0) }
        let impossible: [[UInt8]] = [[], Array(".".utf8), Array("..".utf8)]
        guard !names.contains(where: { impossible.contains($0) }) else { return nil }
        description = text
        self.names = names
    }

    /// Whether models in `folder` are meant; empty is the inbox itself. Quadratic in the number of names at most.
    public func matches(_ folder: [UInt8]) -> Bool {
        let path = folder.split(separator: UInt8(ascii: "/")).map { Array($0) }
        // reached[i]: the first i names of the pattern can match the folders so far.
        var reached = [Bool](repeating: false, count: names.count + 1)
        reached[0] = true
        Self.skip(&reached, names)
        if reached[names.count] { return true }
        for name in path {
            var next = [Bool](repeating: false, count: names.count + 1)
            for index in names.indices where reached[index] {
                if names[index] == Self.anything {
                    next[index] = true
                } else if Self.match(names[index], name) {
                    next[index + 1] = true
                }
            }
            reached = next
            Self.skip(&reached, names)
            if reached[names.count] { return true }
        }
        return false
    }

    private static let anything = Array("**".utf8)

    /// `**` may stand for no name at all.
    private static func skip(_ reached: inout [Bool], _ names: [[UInt8]]) {
        for index in names.indices where reached[index] && names[index] == anything { reached[index + 1] = true }
    }

    /// `*` and `?` within one name; linear but for the last asterisk's retries.
    private static func match(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
        var at = 0
        var read = 0
        var retry: (at: Int, read: Int)?
        while read < name.count {
            if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
                retry = (at, read)
                at += 1
            } else if at < pattern.count, pattern[at] == UInt8(ascii: "?") || pattern[at] == name[read] {
                at += 1
                read += 1
            } else if let last = retry {
                retry = (last.at, last.read + 1)
                at = last.at + 1
                read = last.read + 1
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

extension ValueType<[FolderRule]> {
    /// A mapping of patterns to the settings of a conversion.
    static let folders = ValueType(
        form: .mapping,
        schema: .object([
            "type": .text("object"), "additionalProperties": .object(["$ref": .text("#/$defs/folder")]),
        ]),
        read: { node throws(SettingsProblem) in
            let (rules, problems) = SettingsLayer.folders(node, vocabulary: nil)
            if let first = problems.first { throw first }
            return rules
        },
        show: { rules in
            .object(rules.map { .init(name: $0.pattern.description, value: .object($0.layer.shown)) })
        })
}
