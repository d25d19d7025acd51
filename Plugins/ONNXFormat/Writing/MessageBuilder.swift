internal import CProtobufC
internal import ConverterKit

/// Puts a message together from what protobuf-c packed, from bytes kept as they were read, and from parts of its own,
/// in the order of field numbers that other writers use: an unchanged message of theirs comes out with the same bytes.
struct MessageBuilder {
    private var parts: [(number: Int, content: Rope)] = []

    /// Adds encoded fields, one by one. Bytes that are no fields go to the end as they are.
    mutating func add(encoded bytes: [UInt8]) {
        var position = 0
        while position < bytes.count {
            guard let field = Self.field(bytes, position) else {
                parts.append((.max, Rope(Array(bytes[position...]))))
                return
            }
            parts.append((field.number, Rope(Array(bytes[position..<field.end]))))
            position = field.end
        }
    }

    /// Adds a length-delimited field.
    mutating func add(_ number: Int, _ content: Rope) {
        var rope = Rope()
        rope.append(field: number, content)
        parts.append((number, rope))
    }

    /// Adds a repeated length-delimited field.
    mutating func add<Element>(
        _ number: Int, each elements: [Element], _ encode: (Element) throws(ConversionError) -> Rope
    ) throws(ConversionError) {
        guard !elements.isEmpty else { return }
        var rope = Rope()
        for element in elements { rope.append(field: number, try encode(element)) }
        parts.append((number, rope))
    }

    func finish() -> Rope {
        let order = parts.indices.sorted { (parts[$0].number, $0) < (parts[$1].number, $1) }
        var rope = Rope()
        for index in order { rope.append(parts[index].content) }
        return rope
    }

    private static func field(_ bytes: [UInt8], _ start: Int) -> (number: Int, end: Int)? {
        var position = start
        guard let tag = varint(bytes, &position) else { return nil }
        var length: UInt64 = 0
        switch tag & 7 {
        case 0: guard varint(bytes, &position) != nil else { return nil }
        case 1: length = 8
        case 2:
            guard let stated = varint(bytes, &position) else { return nil }
            length = stated
        case 5: length = 4
        default: return nil
        }
        guard length <= UInt64(bytes.count - position) else { return nil }
        return (Int(tag >> 3), position + Int(length))
    }

    private static func varint(_ bytes: [UInt8], _ position: inout Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 70 {
            let byte = bytes[position]
            position += 1
            value |= shift < 64 ? UInt64(byte & 0x7f) << shift : 0
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}
