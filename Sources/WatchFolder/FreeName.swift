extension BytePath {
    /// The longest name of a file, in bytes.
    static let longestName = 255

    /// FNV-1a, 64 bits, in hexadecimal: tells names apart, protects against nothing.
    var nameHash: String {
        let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let text = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    /// The name under which a file is written before it gets this one: hidden, and short whatever the length of the
    /// name.
    package var temporaryName: BytePath { BytePath(".rene-\(nameHash).tmp") }

    /// The name split before its last dot, that of a hidden name not counted.
    var splitExtension: (stem: BytePath, ending: BytePath) {
        guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")), dot > 0 else { return (self, "") }
        return (BytePath(bytes[..<dot]), BytePath(bytes[dot...]))
    }

    /// The name with `.stamp` before its extension; a name that would be too long loses the end of its stem to a hash
    /// of the whole.
    func stamped(_ stamp: String) -> BytePath {
        let (stem, ending) = splitExtension
        let tail = Array(".\(stamp)".utf8) + ending.bytes
        if stem.bytes.count + tail.count <= Self.longestName { return BytePath(stem.bytes + tail) }
        let mark = Array("~\(nameHash)".utf8)
        // An extension that leaves no room is no extension.
        guard tail.count + mark.count < Self.longestName else {
            return BytePath(
                BytePath(bytes.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "_") : $0 }).stamped(stamp).bytes)
        }
        var kept = stem.bytes.prefix(Self.longestName - tail.count - mark.count)
        // Do not cut a character in two.
        while let last = kept.last, last & 0xC0 == 0x80 { kept.removeLast() }
        if let last = kept.last, last >= 0xC0 { kept.removeLast() }
        return BytePath(kept + mark + tail)
    }

    /// The names to try in turn for something that is called this: the name, stamped, stamped and numbered.
    func alternatives(_ stamp: String) -> some Sequence<BytePath> {
        (0..<1000).lazy.map { $0 == 0 ? self : stamped($0 == 1 ? stamp : "\(stamp)-\($0)") }
    }
}
