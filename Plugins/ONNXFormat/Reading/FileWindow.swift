internal import ConverterKit

/// Reads a file through one buffer that moves along it. Positions are bytes from the start of the file. The file is
/// never mapped and never held as a whole.
@safe final class FileWindow {
    let file: OpenFile
    private let buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0

    init(_ file: OpenFile, capacity: Int = 1 << 18) {
        self.file = file
        unsafe buffer = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { unsafe buffer.deallocate() }

    /// The byte at `position`, which must lie before the end of the file.
    @inline(__always)
    func byte(at position: Int) throws(ConversionError) -> UInt8 {
        if position < start || position >= end { try move(to: position) }
        return unsafe buffer[position - start]
    }

    /// The bytes `from ..< to`.
    func bytes(from: Int, to: Int) throws(ConversionError) -> [UInt8] {
        var bytes: [UInt8] = []
        try append(from: from, to: to, to: &bytes)
        return bytes
    }

    /// Appends the bytes `from ..< to` to `bytes`.
    func append(from: Int, to: Int, to bytes: inout [UInt8]) throws(ConversionError) {
        if unsafe to - from <= buffer.count {
            try unsafe withRun(from: from, to: to) { run throws(ConversionError) in unsafe bytes.append(contentsOf: run)
            }
        } else {
            try bytes.append(contentsOf: ByteSource(file: file, offset: from, count: to - from).bytes())
        }
    }

    /// Calls `body` with the bytes `from ..< to`, in one or more runs.
    func withRuns(
        from: Int, to: Int, _ body: (UnsafeRawBufferPointer) throws(ConversionError) -> Void
    ) throws(ConversionError) {
        var position = from
        while position < to {
            let next = unsafe min(to, position + buffer.count)
            try unsafe withRun(from: position, to: next, body)
            position = next
        }
    }

    /// `from ..< to` must not be longer than the buffer.
    private func withRun(
        from: Int, to: Int, _ body: (UnsafeRawBufferPointer) throws(ConversionError) -> Void
    ) throws(ConversionError) {
        guard from < to else { return }
        if from < start || to > end { try move(to: from) }
        guard to <= end else { throw truncated(at: end) }
        try unsafe body(UnsafeRawBufferPointer(rebasing: buffer[from - start..<to - start]))
    }

    private func move(to position: Int) throws(ConversionError) {
        let count = unsafe min(buffer.count, file.size - position)
        guard position >= 0, count > 0 else { throw truncated(at: position) }
        (start, end) = (0, 0)
        try unsafe file.read(at: position, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
        (start, end) = (position, position + count)
    }

    private func truncated(at position: Int) -> ConversionError {
        InputFault.bad("onnx.truncated", "the file ends in the middle of a field", offset: position)
    }
}
