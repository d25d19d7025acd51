/// A path as the bytes that the file system has: it need not be valid UTF-8. Absolute, or relative to a folder that the
/// context names; the empty path is that folder itself. Two paths are equal when their bytes are.
public struct BytePath: Hashable, Sendable {
    /// The bytes, without trailing slashes and without a terminating NUL.
    public let bytes: [UInt8]

    /// Drops trailing slashes, except that of the root.
    public init(_ bytes: some Sequence<UInt8>) {
        var copy = Array(bytes)
        while copy.count > 1, copy.last == Self.slash { copy.removeLast() }
        self.bytes = copy
    }

    public init(_ string: String) { self.init(string.utf8) }

    static let slash = UInt8(ascii: "/")

    /// The components between the slashes.
    public var components: [BytePath] {
        bytes.split(separator: Self.slash).map { BytePath($0) }
    }

    /// The last component; the empty path's is empty.
    public var name: BytePath {
        guard let index = bytes.lastIndex(of: Self.slash), bytes.count > 1 else { return self }
        return BytePath(bytes[(index + 1)...])
    }

    /// The path without its last component: empty for a relative path of one component.
    public var parent: BytePath {
        guard let index = bytes.lastIndex(of: Self.slash) else { return BytePath([]) }
        return BytePath(bytes[..<max(index, index == 0 ? 1 : index)])
    }

    public var isEmpty: Bool { bytes.isEmpty }
    public var isAbsolute: Bool { bytes.first == Self.slash }

    /// `other`, which is relative, below this path.
    public func appending(_ other: BytePath) -> BytePath {
        if isEmpty { return other }
        if other.isEmpty { return self }
        return BytePath(bytes + (bytes.last == Self.slash ? [] : [Self.slash]) + other.bytes)
    }

    /// Whether this path is `folder` or below it.
    public func isWithin(_ folder: BytePath) -> Bool {
        if folder.isEmpty { return !isAbsolute }
        guard bytes.starts(with: folder.bytes) else { return false }
        return bytes.count == folder.bytes.count || bytes[folder.bytes.count] == Self.slash
    }

    /// Whether it names something below a folder in the plain way: relative, not empty, no empty, `.` or `..`
    /// component, no NUL.
    public var isPlainRelative: Bool {
        guard !isEmpty, !isAbsolute, !bytes.contains(0) else { return false }
        return bytes.split(separator: Self.slash, omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
        }
    }

    /// The bytes with a terminating NUL, for system calls.
    package var cString: [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }
}

extension BytePath: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(value) }
}

extension BytePath: Comparable {
    /// By bytes.
    public static func < (left: BytePath, right: BytePath) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
