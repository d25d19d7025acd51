internal import ConverterKit

/// The bytes of a message to be written: runs in memory, and regions of other files that are copied when they are
/// written and never loaded.
struct Rope {
    enum Piece {
        case bytes([UInt8])
        case source(ByteSource)
    }

    private var closed: [Piece] = []
    private var tail: [UInt8] = []
    private(set) var count = 0

    init() {}

    init(_ bytes: [UInt8]) {
        tail = bytes
        count = bytes.count
    }

    var pieces: [Piece] { tail.isEmpty ? closed : closed + [.bytes(tail)] }

    mutating func append(_ bytes: some Collection<UInt8>) {
        tail.append(contentsOf: bytes)
        count += bytes.count
    }

    mutating func append(_ source: ByteSource) {
        if case .memory(let bytes) = source.storage {
            append(bytes)
            return
        }
        if !tail.isEmpty { closed.append(.bytes(tail)) }
        tail = []
        closed.append(.source(source))
        count += source.count
    }

    mutating func append(_ other: Rope) {
        for piece in other.closed {
            switch piece {
            case .bytes(let bytes): append(bytes)
            case .source(let source): append(source)
            }
        }
        append(other.tail)
    }

    mutating func append(varint: UInt64) {
        var rest = varint
        while rest >= 0x80 {
            tail.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
            count += 1
        }
        tail.append(UInt8(rest))
        count += 1
    }

    /// Appends the length-delimited field `number`.
    mutating func append(field number: Int, _ content: Rope) {
        append(varint: UInt64(number) << 3 | 2)
        append(varint: UInt64(content.count))
        append(content)
    }
}
