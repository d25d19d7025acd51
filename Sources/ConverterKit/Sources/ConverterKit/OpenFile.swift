#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A file held open for reading. Bytes are read by position from the descriptor and never mapped: a file that another
/// process truncates gives an error and not a SIGBUS.
public final class OpenFile: Sendable {
    public let descriptor: Int32
    public let path: String
    /// Size in bytes when it was opened.
    public let size: Int

    /// Takes over a descriptor of a regular file that the caller opened.
    public init(adopting descriptor: Int32, path: String, size: Int) {
        self.descriptor = descriptor
        self.path = path
        self.size = size
    }

    deinit { close(descriptor) }

    /// Opens a regular file. A FIFO, a device, a directory is refused and never waited for; a link at the last
    /// component is followed only if `followingLinks`.
    public convenience init(path: String, followingLinks: Bool = true) throws(ConversionError) {
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followingLinks ? 0 : O_NOFOLLOW)
        let descriptor = unsafe open(path, flags)
        guard descriptor >= 0 else {
            let number = errno
            // A link that was refused is not missing.
            throw Self.openError(number, path: path, isLink: number == ELOOP && !followingLinks)
        }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let number = errno
            close(descriptor)
            throw Self.openError(number, path: path)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw ConversionError(
                "input.not-a-file", .badInput, "\(path) is not a regular file",
                remedy: "Give the path of a model file.", site: .init(file: path))
        }
        self.init(adopting: descriptor, path: path, size: Int(status.st_size))
    }

    private static func openError(_ number: Int32, path: String, isLink: Bool = false) -> ConversionError {
        let cause = unsafe String(cString: strerror(number))
        let missing = number == ENOENT || number == ENOTDIR || (number == ELOOP && !isLink)
        return ConversionError(
            missing ? "input.missing" : number == EACCES ? "input.permission-denied" : "input.unreadable",
            missing || number == EACCES ? .missingInput : .inputOutput, "cannot open \(path)",
            remedy: missing ? "Check the path." : "Check the permissions of the file and of its folders.",
            site: .init(file: path), cause: cause)
    }

    /// Fills `buffer` with the bytes from `offset` on; throws when the file ends before.
    public func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(ConversionError) {
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            if count > 0 {
                done += count
            } else if count == 0 {
                throw ConversionError(
                    "input.truncated", .badInput, "\(path) ends before offset \(offset + done)",
                    remedy: "Copy the file again; it was cut short or changed while it was read.",
                    site: .init(file: path, offset: offset))
            } else if errno != EINTR {
                throw ConversionError(
                    "input.unreadable", .inputOutput, "cannot read \(path)", remedy: "Check the disk.",
                    site: .init(file: path, offset: offset), cause: unsafe String(cString: strerror(errno)))
            }
        }
    }
}
