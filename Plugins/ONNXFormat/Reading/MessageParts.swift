internal import CONNX
internal import CProtobufC
internal import ConverterKit

/// A set of field numbers below 64.
struct FieldSet: ExpressibleByArrayLiteral {
    private var bits: UInt64 = 0

    init(arrayLiteral numbers: Int...) {
        for number in numbers { bits |= 1 << UInt64(number) }
    }

    func contains(_ number: Int) -> Bool { number < 64 && bits >> UInt64(number) & 1 == 1 }
}

/// A message divided into the part that protobuf-c unpacks (the shell) and the bytes that are kept as they are. The
/// caller steps through the message itself and takes the fields it decodes: a loop, and no closure, so that nested
/// messages cost little of the stack.
struct MessageParts {
    private let window: FileWindow
    private let shellFields: FieldSet
    private let documents: FieldSet
    private var shell: [UInt8] = []
    private(set) var unmodelled: [UInt8] = []

    /// Fields of `shell` go to the shell; those of `documents` too, unless they hold what a C string cannot.
    init(_ window: FileWindow, shell: FieldSet, documents: FieldSet = []) {
        self.window = window
        shellFields = shell
        self.documents = documents
    }

    /// Puts a field into the shell, or keeps it as bytes.
    @inline(never)
    mutating func keep(_ field: WireField) throws(ConversionError) {
        let isShell =
            if documents.contains(field.number) { try isText(field) } else { shellFields.contains(field.number) }
        if isShell {
            try window.append(from: field.start, to: field.end, to: &shell)
        } else {
            try window.append(from: field.start, to: field.end, to: &unmodelled)
        }
    }

    private func isText(_ field: WireField) throws(ConversionError) -> Bool {
        let bytes = try window.bytes(from: field.content, to: field.end)
        return unsafe bytes.withUnsafeBytes { bytes in unsafe Text.isValid(bytes) }
    }

    typealias Unpack<Message> = (
        UnsafeMutablePointer<ProtobufCAllocator>?, Int, UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Message>?
    typealias Free<Message> = (UnsafeMutablePointer<Message>?, UnsafeMutablePointer<ProtobufCAllocator>?) -> Void

    /// Unpacks `bytes` with protobuf-c and gives the message to `body`; freed on return.
    static func withUnpacked<Message, Result>(
        _ bytes: [UInt8], _ unpack: Unpack<Message>, _ free: Free<Message>, _ body: (Message) -> Result
    ) throws(ConversionError) -> Result {
        let message = unsafe bytes.withUnsafeBufferPointer { unsafe unpack(nil, $0.count, $0.baseAddress) }
        guard let message = unsafe message else {
            throw InputFault.bad("onnx.wire.message", "a message of the file cannot be unpacked")
        }
        defer { unsafe free(message, nil) }
        return unsafe body(message.pointee)
    }

    /// Unpacks the shell.
    func withShell<Message, Result>(
        _ unpack: Unpack<Message>, _ free: Free<Message>, _ body: (Message) -> Result
    ) throws(ConversionError) -> Result {
        try unsafe Self.withUnpacked(shell, unpack, free, body)
    }
}
