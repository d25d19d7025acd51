internal import ConverterKit

/// How a field's content is encoded. Groups (3 and 4) are not: no writer of this format makes them.
enum WireType: UInt8 {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case fixed32 = 5
}

/// One field of a message in a file.
struct WireField {
    var number: Int
    var type: WireType
    /// Position of the tag.
    var start: Int
    /// Position of the content: the varint or word itself, or what follows the length.
    var content: Int
    var end: Int
    /// The value where the field is a varint.
    var varint: UInt64

    var count: Int { end - content }
}

/// Steps through the fields of the message that takes up `position ..< end` of a file. Each field is checked to be
/// well formed and to lie within the message; errors are `onnx.truncated` and `onnx.wire.*`.
struct MessageCursor {
    let window: FileWindow
    private(set) var position: Int
    let end: Int

    init(_ window: FileWindow, from start: Int, to end: Int) {
        self.window = window
        position = start
        self.end = end
    }

    mutating func next() throws(ConversionError) -> WireField? {
        guard position < end else { return nil }
        let start = position
        let tag = try Self.varint(in: window, at: &position, end: end)
        guard tag <= UInt64(UInt32.max), position - start <= 5, tag >> 3 != 0 else {
            throw InputFault.bad("onnx.wire.field-number", "a field has no valid number", offset: start)
        }
        guard let type = WireType(rawValue: UInt8(tag & 7)) else {
            throw InputFault.bad("onnx.wire.type", "a field has the unused wire type \(tag & 7)", offset: start)
        }
        var content = position
        var value: UInt64 = 0
        var length: UInt64 = 0
        switch type {
        case .varint: value = try Self.varint(in: window, at: &position, end: end)
        case .fixed32: length = 4
        case .fixed64: length = 8
        case .lengthDelimited:
            length = try Self.varint(in: window, at: &position, end: end)
            content = position
        }
        guard length <= UInt64(end - position) else { throw overrun(at: start) }
        position += Int(length)
        return WireField(
            number: Int(tag >> 3), type: type, start: start, content: content, end: position, varint: value)
    }

    /// A base-128 number of at most ten bytes that ends before `end`.
    @inline(__always)
    static func varint(in window: FileWindow, at position: inout Int, end: Int) throws(ConversionError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        let start = position
        while position < end {
            let byte = try window.byte(at: position)
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 {
                if shift < 63 || byte <= 1 { return value }
                shift = 70
                break
            }
            shift += 7
            if shift > 63 { break }
        }
        if shift <= 63, end == window.file.size {
            throw InputFault.bad("onnx.truncated", "the file ends in the middle of a number", offset: start)
        }
        throw InputFault.bad("onnx.wire.varint", "a number is longer than ten bytes or than its message", offset: start)
    }

    private func overrun(at start: Int) -> ConversionError {
        if end == window.file.size {
            return InputFault.bad("onnx.truncated", "the file ends in the middle of a field", offset: start)
        }
        return InputFault.bad("onnx.wire.length", "a field is longer than the message around it", offset: start)
    }
}
