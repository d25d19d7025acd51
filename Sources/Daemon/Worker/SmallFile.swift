internal import ConverterKit
internal import Glibc

/// Reads and writes files of a few kilobytes: job descriptions, errors, results.
enum SmallFile {
    /// The content of a regular file; `nil` if there is none, if it is not a regular file, or if it is larger than
    /// `limit` bytes. Neither follows a link nor waits on a pipe: what a worker left behind is not trusted.
    static func read(_ path: String, limit: Int) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit
        else { return nil }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while bytes.count <= limit {
            let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count > 0 { bytes += chunk[..<count] } else if errno != EINTR { return nil }
        }
        return nil
    }

    /// Writes beside the file, synchronizes and renames, so that whoever reads sees all or nothing.
    static func replace(_ path: String, with bytes: [UInt8], mode: mode_t = 0o600) throws(ConversionError) {
        let temporary = path + ".tmp"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure(temporary) }
        defer { close(descriptor) }
        guard writeAll(bytes, to: descriptor), fsync(descriptor) == 0, unsafe rename(temporary, path) == 0 else {
            let error = failure(path)
            unsafe unlink(temporary)
            throw error
        }
    }

    /// Writes into a file that exists, such as one of `/proc`.
    static func overwrite(_ path: String, with bytes: [UInt8]) throws(ConversionError) {
        let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        guard writeAll(bytes, to: descriptor) else { throw failure(path) }
    }

    /// `false` when the descriptor takes no more; `errno` says why.
    static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
            if count > 0 { done += count } else if errno != EINTR { return false }
        }
        return true
    }

    private static func failure(_ path: String) -> ConversionError {
        let number = errno
        let full = number == ENOSPC || number == EDQUOT
        return ConversionError(
            full ? "work.no-space" : "work.cannot-write", full ? .temporary : .inputOutput, "cannot write \(path)",
            remedy: full ? "Make room on the disk of the folder." : "Check the permissions of the folder.",
            site: .init(file: path), cause: unsafe String(cString: strerror(number)))
    }
}
