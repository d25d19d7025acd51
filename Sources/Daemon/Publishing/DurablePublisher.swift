internal import CLinux
internal import Conversion
internal import ConverterKit
internal import Glibc
internal import WatchFolder

/// Gives verified files their final names, so that a crash at any point leaves either none of a result or all of it
/// under names that recovery can tell apart: the one place where results get their names.
///
///     fsync each file and the folder of the worker
///     prepare(): the caller records names and digests durably
///     renameat2(RENAME_NOREPLACE) in the given order, the model last
///     fsync the target folder
///     commit(): the caller records that it is done; only then may it move the source
///
/// Where the two folders are on different file systems each file is copied first: under a hidden name beside its target,
/// synchronized and compared with its digest; the renames come when all are there.
struct DurablePublisher: Sendable {
    /// A file in the folder of the worker.
    struct File: Sendable, Hashable {
        var name: String
        /// Hexadecimal.
        var sha256: String
    }

    /// The folder that the worker wrote into, and the existing one that people look into.
    var source: String
    var target: String
    var replacing: Bool

    /// Publishes `files`. Throws with everything that got its name by this call taken back, unless `commit` threw.
    func publish(
        _ files: [File], prepare: () throws -> Void, commit: () throws -> Void
    ) throws {
        let names = files.map(\.name)
        for name in names {
            guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
                throw ConversionError(
                    "output.unsafe-name", .internal, "the worker named an output \(name.debugDescription)",
                    remedy: "Report this with the model.")
            }
            try Self.synchronize(source + "/" + name, folder: false)
        }
        try Self.synchronize(source, folder: true)
        if !replacing { for name in names { try checkFree(target + "/" + name) } }
        try prepare()
        var done: [String] = []
        do {
            let isElsewhere = try Self.device(source) != Self.device(target)
            if isElsewhere { for file in files { try bring(file) } }
            for name in names {
                try move(isElsewhere ? Self.temporaryPath(of: name, in: target) : source + "/" + name, to: name)
                done.append(name)
            }
            try Self.synchronize(target, folder: true)
        } catch {
            for name in names { unsafe unlink(Self.temporaryPath(of: name, in: target)) }
            if !replacing { for name in done { unsafe unlink(target + "/" + name) } }
            throw error
        }
        try commit()
    }

    /// Where a file lies in a target on another file system until it gets its name. A crash may leave it there.
    static func temporaryPath(of name: String, in target: String) -> String {
        target + "/" + BytePath(name).temporaryName.description
    }

    /// Copies a file to the target's file system.
    private func bring(_ file: File) throws(ConversionError) {
        let path = Self.temporaryPath(of: file.name, in: target)
        unsafe unlink(path)
        try FileCopy.copy(source + "/" + file.name, to: path)
        try Self.synchronize(path, folder: false)
        guard try SHA256.digest(ofFile: path) == file.sha256 else {
            throw ConversionError(
                "output.cannot-write", .cannotCreateOutput, "the copy of \(file.name) is not what was copied",
                remedy: "Check the disk and the memory of this machine.", site: .init(file: path))
        }
    }

    private static func device(_ path: String) throws(ConversionError) -> dev_t {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw failure(errno, path) }
        return status.st_dev
    }

    private func move(_ from: String, to name: String) throws(ConversionError) {
        let to = target + "/" + name
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
