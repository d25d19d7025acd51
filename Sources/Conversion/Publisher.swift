internal import CLinux
internal import ConverterKit
internal import Glibc

/// Moves finished files from a staging folder to their final names: data files first, then the model, then its report,
/// each by a rename that replaces nothing (unless asked to), and synchronizes the folder. Whoever sees the model under
/// its name sees it whole.
struct Publisher: Sendable {
    let directory: String
    let replacing: Bool

    /// Throws `output.exists` when a file is there, before anything is written.
    func checkFree(_ names: [String]) throws(ConversionError) {
        guard !replacing else { return }
        for name in names {
            var status = stat()
            if unsafe lstat(directory + "/" + name, &status) == 0 {
                throw OutputFailure.error(EEXIST, path: directory + "/" + name)
            }
        }
    }

    /// Publishes `files` in their order; returns the final paths. When one cannot be published, those that this call has
    /// published before are taken back.
    func publish(_ files: [String]) throws(ConversionError) -> [String] {
        var done: [String] = []
        for file in files {
            let name = file.split(separator: "/").last.map(String.init) ?? file
            let target = directory + "/" + name
            let status = unsafe replacing ? rename(file, target) : rene_rename_without_replacing(file, target)
            if status != 0 {
                let number = errno
                if !replacing { for path in done { unsafe unlink(path) } }
                throw OutputFailure.error(number, path: target)
            }
            done.append(target)
        }
        try Self.synchronize(directory)
        return done
    }

    /// Writes a small file and synchronizes it.
    static func write(_ bytes: [UInt8], to path: String) throws(ConversionError) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw OutputFailure.error(errno, path: path) }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
            if count > 0 {
                done += count
            } else if count < 0, errno != EINTR {
                throw OutputFailure.error(errno, path: path)
            }
        }
        guard fsync(descriptor) == 0 else { throw OutputFailure.error(errno, path: path) }
    }

    private static func synchronize(_ directory: String) throws(ConversionError) {
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw OutputFailure.error(errno, path: directory) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw OutputFailure.error(errno, path: directory) }
    }
}
