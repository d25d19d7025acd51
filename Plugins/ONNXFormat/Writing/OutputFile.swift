internal import CONNX
internal import ConverterKit
internal import Glibc

/// A file under construction: new, readable by nobody else until it is complete.
final class OutputFile {
    private let descriptor: Int32
    private let path: String
    private var buffer: [UInt8] = []
    private var position = 0
    private var startedWriteback = 0
    private var copiesInKernel = true

    private static let block = 1 << 20
    /// Written bytes after which the disk is set to work while the rest is written.
    private static let writebackStep = 32 << 20
    /// Regions shorter than this are copied through the buffer: a system call would cost more.
    private static let smallRegion = 1 << 16

    /// Takes over the descriptor of a new file.
    init(adopting descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Bytes written so far.
    var count: Int { position + buffer.count }

    func write(_ bytes: [UInt8]) throws(ConversionError) {
        if bytes.count >= Self.block {
            try flush()
            try put(bytes)
        } else {
            buffer += bytes
            if buffer.count >= Self.block { try flush() }
        }
    }

    /// Writes the bytes of `source`, by blocks or inside the kernel.
    func write(_ source: ByteSource) throws(ConversionError) {
        if case .memory(let bytes) = source.storage { return try write(bytes) }
        if source.count <= Self.smallRegion { return try write(source.bytes()) }
        try flush()
        var done = 0
        if case .file(let file, let offset) = source.storage, copiesInKernel {
            while done < source.count {
                let wanted = min(source.count - done, Self.writebackStep)
                let copied = rene_copy_range(file.descriptor, off_t(offset + done), descriptor, wanted)
                if copied <= 0 {
                    // Anything but a full disk may be a matter of this way of copying alone.
                    if copied == -Int(ENOSPC) || copied == -Int(EDQUOT) { throw OutputFault.system(ENOSPC, path) }
                    copiesInKernel = false
                    break
                }
                done += copied
                advance(copied)
            }
        }
        try copyByBlocks(source, from: done)
    }

    private func copyByBlocks(_ source: ByteSource, from start: Int) throws(ConversionError) {
        guard start < source.count else { return }
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.block, alignment: 4096)
        defer { unsafe block.deallocate() }
        var done = start
        while done < source.count {
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: block[..<min(Self.block, source.count - done)])
            try unsafe source.read(at: done, into: part)
            try unsafe put(UnsafeRawBufferPointer(part))
            done += part.count
        }
    }

    /// Leaves a gap of zeros up to `offset`.
    func skip(to offset: Int) throws(ConversionError) {
        try write([UInt8](repeating: 0, count: max(0, offset - count)))
    }

    /// Writes out what is buffered, synchronizes, and gives the file its final permissions.
    func finish(mode: mode_t) throws(ConversionError) {
        try flush()
        guard fsync(descriptor) == 0 else { throw OutputFault.system(errno, path) }
        guard fchmod(descriptor, mode) == 0 else { throw OutputFault.system(errno, path) }
    }

    private func flush() throws(ConversionError) {
        guard !buffer.isEmpty else { return }
        let bytes = buffer
        buffer.removeAll(keepingCapacity: false)
        try put(bytes)
    }

    private func put(_ bytes: [UInt8]) throws(ConversionError) {
        var failure: ConversionError?
        unsafe bytes.withUnsafeBytes { bytes in
            do throws(ConversionError) { try unsafe put(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws(ConversionError) {
        var done = 0
        while done < bytes.count {
            let written = unsafe Glibc.write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
            if written > 0 {
                done += written
                advance(written)
            } else if written == 0 || errno != EINTR {
                throw OutputFault.system(written == 0 ? EIO : errno, path)
            }
        }
    }

    private func advance(_ count: Int) {
        position += count
        if position - startedWriteback >= Self.writebackStep {
            rene_start_writeback(descriptor, off_t(startedWriteback), off_t(position - startedWriteback))
            startedWriteback = position
        }
    }
}

/// Makers of the errors about writing.
enum OutputFault {
    /// The error for a failed system call about the file at `path`.
    static func system(_ number: Int32, _ path: String) -> ConversionError {
        let cause = unsafe String(cString: strerror(number))
        func make(
            _ code: ConversionError.Code, _ kind: ConversionError.Kind, _ remedy: String
        ) -> ConversionError {
            ConversionError(
                code, kind, "cannot write \(path)", remedy: remedy, site: .init(file: path), cause: cause)
        }
        switch number {
        case EEXIST: return make("output.exists", .cannotCreateOutput, "Move the file away, or choose another folder.")
        case ENOSPC, EDQUOT: return make("output.no-space", .temporary, "Free some space and try again.")
        case EACCES, EPERM, EROFS:
            return make("output.permission-denied", .cannotCreateOutput, "Choose a folder that may be written to.")
        case ENOENT, ENOTDIR:
            return make("output.no-directory", .cannotCreateOutput, "Create the output folder first.")
        case ELOOP, EXDEV:
            return make(
                "output.escapes-directory", .cannotCreateOutput, "Choose a folder without symbolic links in it.")
        case ENAMETOOLONG: return make("output.name-too-long", .cannotCreateOutput, "Choose a shorter name.")
        default: return make("output.failed", .inputOutput, "Check the disk.")
        }
    }
}
