internal import CLinux
internal import Conversion
internal import ConverterKit
internal import Glibc

/// Gives verified files their final names, so that a crash at any point leaves either none of a result or all of it
/// under names that recovery can tell apart: the one place where results get their names.
///
///     fsync each file and the folder of the worker
///     prepare(): the caller records names and digests durably
///     renameat2(RENAME_NOREPLACE) in the given order, the model last
///     fsync the target folder
///     commit(): the caller records that it is done; only then may it move the source
struct DurablePublisher: Sendable {
    /// The folder that the worker wrote into, and the existing one that people look into. On one file system.
    var source: String
    var target: String
    var replacing: Bool

    /// Publishes `files`, names in `source`. Throws with everything that got its name by this call taken back, unless
    /// `commit` threw.
    func publish(
        _ files: [String], prepare: () throws -> Void, commit: () throws -> Void
    ) throws {
        for name in files {
            guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
                throw ConversionError(
                    "output.unsafe-name", .internal, "the worker named an output \(name.debugDescription)",
                    remedy: "Report this with the model.")
            }
            try Self.synchronize(source + "/" + name, folder: false)
        }
        try Self.synchronize(source, folder: true)
        if !replacing { for name in files { try checkFree(target + "/" + name) } }
        try prepare()
        var done: [String] = []
        do {
            for name in files {
                try move(name)
                done.append(name)
            }
            try Self.synchronize(target, folder: true)
        } catch {
            if !replacing { for name in done { unsafe unlink(target + "/" + name) } }
            throw error
        }
        try commit()
    }

    private func move(_ name: String) throws(ConversionError) {
        let (from, to) = (source + "/" + name, target + "/" + name)
        let status = unsafe replacing ? rename(from, to) : rene_rename_without_replacing(from, to)
        guard status != 0 else { return }
        throw errno == EEXIST ? Self.exists(to) : Self.failure(errno, to)
    }

    private func checkFree(_ path: String) throws(ConversionError) {
        var status = stat()
        if unsafe lstat(path, &status) == 0 { throw Self.exists(path) }
    }

    private static func synchronize(_ path: String, folder: Bool) throws(ConversionError) {
        let kind = folder ? O_DIRECTORY : O_NONBLOCK
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | kind)
        guard descriptor >= 0 else { throw failure(errno, path) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == (folder ? S_IFDIR : S_IFREG) else {
            throw failure(EINVAL, path)
        }
        guard fsync(descriptor) == 0 else { throw failure(errno, path) }
    }

    private static func exists(_ path: String) -> ConversionError {
        ConversionError(
            "output.exists", .cannotCreateOutput, "\(path) exists already",
            remedy: "Move it away, or set overwrite.", site: .init(file: path))
    }

    static func failure(_ number: Int32, _ path: String) -> ConversionError {
        let full = number == ENOSPC || number == EDQUOT
        return ConversionError(
            full ? "output.no-space" : "output.cannot-write", full ? .temporary : .cannotCreateOutput,
            "cannot publish \(path)", remedy: "Check the permissions of the folder and the space on its disk.",
            site: .init(file: path), cause: unsafe String(cString: strerror(number)))
    }
}
