/// A run of bytes that is read when it is needed: held in memory, or a region of an open file. Weights of a model stay
/// where they are on disk until a layer asks for them, so that memory follows the largest layer and not the model.
public struct ByteSource: Sendable {
    /// Where the bytes are.
    public enum Storage: Sendable {
        case memory([UInt8])
        case file(OpenFile, offset: Int)
    }

    public let storage: Storage
    public let count: Int

    public init(_ bytes: [UInt8]) {
        storage = .memory(bytes)
        count = bytes.count
    }

    /// The `count` bytes of `file` from `offset` on. The region must lie within the file.
    public init(file: OpenFile, offset: Int, count: Int) throws(ConversionError) {
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard offset >= 0, count >= 0, !overflow, end <= file.size else {
            throw ConversionError(
                "input.truncated", .badInput,
                "\(count) bytes at offset \(offset) lie outside \(file.path), which has \(file.size) bytes",
                remedy: "Copy the file again, or export the model again.",
                site: .init(file: file.path, offset: offset))
        }
        storage = .file(file, offset: offset)
        self.count = count
    }

    /// Reads the bytes `offset ..< offset + buffer.count` into `buffer`.
    public func read(at offset: Int = 0, into buffer: UnsafeMutableRawBufferPointer) throws(ConversionError) {
        precondition(offset >= 0 && offset + buffer.count <= count, "read past the end of a byte source")
        switch storage {
        case .memory(let bytes):
            unsafe bytes.withUnsafeBytes { source in
                unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[offset..<offset + buffer.count]))
            }
        case .file(let file, let base):
            try unsafe file.read(at: base + offset, into: buffer)
        }
    }

    /// All bytes, in memory.
    public func bytes() throws(ConversionError) -> [UInt8] {
        if case .memory(let bytes) = storage { return bytes }
        var failure: ConversionError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(ConversionError) {
                try unsafe read(into: UnsafeMutableRawBufferPointer(buffer))
                initialized = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
