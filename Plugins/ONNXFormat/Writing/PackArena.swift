internal import CONNX
internal import CProtobufC
internal import ConverterKit
internal import Glibc

/// Memory for the C messages that are packed; freed with the arena.
@safe final class PackArena {
    private var blocks: [UnsafeMutableRawPointer] = unsafe []
    private var brokenString: String?

    deinit {
        for index in unsafe blocks.indices { unsafe free(blocks[index]) }
    }

    func string(_ string: String?) -> UnsafeMutablePointer<CChar>? {
        guard let string else { return nil }
        if string.utf8.contains(0) { brokenString = string }
        guard let copy = unsafe strdup(string) else { return nil }
        unsafe blocks.append(copy)
        return unsafe copy
    }

    func strings(_ strings: [String]) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
        unsafe array(strings.map { unsafe string($0) })
    }

    func array<Element>(_ elements: [Element]) -> UnsafeMutablePointer<Element>? {
        guard !elements.isEmpty else { return nil }
        let size = MemoryLayout<Element>.stride * elements.count
        guard let block = unsafe malloc(size) else { return nil }
        unsafe blocks.append(block)
        let copy = unsafe block.bindMemory(to: Element.self, capacity: elements.count)
        unsafe copy.initialize(from: elements, count: elements.count)
        return unsafe copy
    }

    func data(_ bytes: [UInt8]) -> ProtobufCBinaryData {
        unsafe ProtobufCBinaryData(len: bytes.count, data: array(bytes))
    }

    /// The packed form of a message whose strings and arrays this arena holds.
    func pack<Message>(_ message: inout Message) throws(ConversionError) -> [UInt8] {
        if let brokenString {
            throw ConversionError(
                "output.name", .internal, "the name \(brokenString.debugDescription) holds a zero byte",
                remedy: "Report this.")
        }
        return unsafe withUnsafePointer(to: &message) { pointer in
            let base = unsafe UnsafeRawPointer(pointer).assumingMemoryBound(to: ProtobufCMessage.self)
            let size = unsafe protobuf_c_message_get_packed_size(base)
            return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
                initialized = unsafe protobuf_c_message_pack(base, buffer.baseAddress)
            }
        }
    }
}
