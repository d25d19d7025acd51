/// A path relative to the watch folder's root, as the bytes that the file system has: names need not be UTF-8.
public struct JobPath: Sendable, Hashable {
    public var bytes: [UInt8]

    public init(bytes: [UInt8]) { self.bytes = bytes }
    public init(_ text: String) { bytes = Array(text.utf8) }
}

extension JobPath: CustomStringConvertible, Encodable {
    /// The path for people and logs: control characters, backslashes and bytes that are not UTF-8 become `\xHH`, so
    /// that one path is one line and two paths never look alike.
    public var description: String {
        var text = ""
        var rest = bytes[...]
        while let first = rest.first {
            let length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
            let piece = rest.prefix(length)
            if let character = String(validating: piece, as: UTF8.self), first >= 0x20, first != 0x7f, first != 0x5c,
                !character.unicodeScalars.contains(where: { (0x80..<0xa0).contains($0.value) })
            {
                text += character
                rest = rest.dropFirst(length)
            } else {
                text += "\\x" + (first < 16 ? "0" : "") + String(first, radix: 16)
                rest = rest.dropFirst()
            }
        }
        return text
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
