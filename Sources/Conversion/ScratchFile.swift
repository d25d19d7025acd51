internal import ConverterKit
internal import Glibc
internal import Synchronization

/// A file without a name that factors are laid aside in until they are written, so that the memory of a conversion
/// follows its largest layer. The disk space is freed with the last reference.
final class ScratchFile: Sendable {
    /// Shorter byte runs stay in memory.
    private static let smallest = 1 << 16

    private let descriptor: Int32
    private let path: String
    private let end = Mutex(0)

    /// Makes the file in `directory`, a private folder on the disk that the output goes to.
    init(in directory: String) throws(ConversionError) {
        path = directory + "/.scratch"
        descriptor = unsafe open(path, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw OutputFailure.error(errno, path: path) }
        unsafe unlink(path)
    }

    deinit { close(descriptor) }

    /// Lays `bytes` aside.
    func store(_ bytes: [UInt8]) throws(ConversionError) -> ByteSource {
        if bytes.count < Self.smallest { return ByteSource(bytes) }
        let offset = end.withLock { end in
            defer { end += bytes.count }
            return end
        }
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe pwrite(
                    descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(offset + done))
            }
            if count > 0 {
                done += count
            } else if count < 0, errno != EINTR {
                throw OutputFailure.error(errno, path: path)
            }
        }
        let copy = dup(descriptor)
        guard copy >= 0 else { throw OutputFailure.error(errno, path: path) }
        let file = OpenFile(adopting: copy, path: "(scratch file)", size: offset + bytes.count)
        return try ByteSource(file: file, offset: offset, count: bytes.count)
    }
}
