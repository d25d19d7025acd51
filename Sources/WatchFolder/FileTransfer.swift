internal import Glibc

/// Files from one folder to another, durably: by rename, or by a verified copy where a rename cannot be.
enum FileTransfer {
    /// Moves a regular file to a free name. Both folders are synchronized. `allowingCopies`: when the folders are on
    /// different file systems the file is copied, synchronized, compared, renamed into place, and only then removed; a copy
    /// that is there already, since an earlier attempt was interrupted before the removal, is taken for this one.
    static func move(
        _ name: BytePath, in source: OpenFolder, to newName: BytePath, in target: OpenFolder, allowingCopies: Bool
    ) throws(WatchError) {
        do {
            try Rename.move(name, in: source, to: newName, in: target)
        } catch {
            guard error.code == "watch.other-file-system", allowingCopies else { throw error }
            if try !isCopied(name, in: source, to: newName, in: target) {
                try copy(name, in: source, to: newName, in: target)
            }
            if unsafe unlinkat(source.descriptor, name.cString, 0) != 0 {
                throw .system(errno, "remove after copying", source.path.appending(name))
            }
        }
        try target.synchronize()
        if source.path != target.path { try source.synchronize() }
    }

    /// Whether the file is there under its new name with its time and all of its bytes.
    private static func isCopied(
        _ name: BytePath, in source: OpenFolder, to newName: BytePath, in target: OpenFolder
    ) throws(WatchError) -> Bool {
        guard let original = source.status(name), let copy = target.status(newName), copy.kind == .file,
            copy.size == original.size, copy.modified == original.modified
        else { return false }
        return try areIdentical(name, in: source, newName, in: target)
    }

    /// Copies a regular file to a free name: to a temporary name first, synchronized and compared byte by byte, then
    /// renamed. Times and permission bits go with it. Throws `watch.changed` when the source changes meanwhile.
    static func copy(
        _ name: BytePath, in source: OpenFolder, to newName: BytePath, in target: OpenFolder
    ) throws(WatchError) {
        let from = try openFile(name, in: source)
        defer { close(from) }
        guard let before = FileStatus.of(descriptor: from) else {
            throw .system(errno, "look at", source.path.appending(name))
        }
        let temporary = newName.temporaryName
        let path = target.path.appending(temporary)
        try target.remove(temporary)
        let to = unsafe openat(
            target.descriptor, temporary.cString, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard to >= 0 else { throw .system(errno, "make the file", path) }
        defer { close(to) }
        do throws(WatchError) {
            try copyBytes(from, to, path)
            try copyAttributes(from, to, path)
            guard fsync(to) == 0 else { throw .system(errno, "synchronize", path) }
            guard try areEqual(from, to, path), FileStatus.of(descriptor: from) == before else {
                throw .changed(source.path.appending(name))
            }
            try Rename.move(temporary, in: target, to: newName, in: target)
        } catch {
            unsafe unlinkat(target.descriptor, temporary.cString, 0)
            throw error
        }
        try target.synchronize()
    }

    /// Whether two regular files hold the same bytes.
    static func areIdentical(
        _ name: BytePath, in first: OpenFolder, _ other: BytePath, in second: OpenFolder
    ) throws(WatchError) -> Bool {
        let left = try openFile(name, in: first)
        defer { close(left) }
        let right = try openFile(other, in: second)
        defer { close(right) }
        return try areEqual(left, right, first.path.appending(name))
    }

    /// Opens a regular file for reading; links, FIFOs and devices are refused and never waited for.
    static func openFile(_ name: BytePath, in folder: OpenFolder) throws(WatchError) -> Int32 {
        let path = folder.path.appending(name)
        guard let status = folder.status(name) else { throw .system(errno, "open", path) }
        guard status.kind == .file else { throw .notRegular(path) }
        let descriptor = unsafe openat(
            folder.descriptor, name.cString, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(errno, "open", path) }
        guard FileStatus.of(descriptor: descriptor)?.kind == .file else {
            close(descriptor)
            throw .notRegular(path)
        }
        return descriptor
    }

    private static func copyBytes(_ from: Int32, _ to: Int32, _ path: BytePath) throws(WatchError) {
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        var offset = 0
        while true {
            let count = try read(from, &chunk, at: offset, path)
            if count == 0 { return }
            var done = 0
            while done < count {
                let written = unsafe chunk.withUnsafeBytes {
                    unsafe pwrite(to, $0.baseAddress?.advanced(by: done), count - done, off_t(offset + done))
                }
                if written >= 0 {
                    done += written
                } else if errno != EINTR {
                    throw .system(errno, "write", path)
                }
            }
            offset += count
        }
    }

    private static func copyAttributes(_ from: Int32, _ to: Int32, _ path: BytePath) throws(WatchError) {
        var raw = stat()
        guard unsafe fstat(from, &raw) == 0 else { throw .system(errno, "look at", path) }
        // Without the bits that change who a program runs as.
        guard fchmod(to, raw.st_mode & 0o777) == 0 else { throw .system(errno, "set the permissions of", path) }
        let times = [raw.st_atim, raw.st_mtim]
        guard unsafe futimens(to, times) == 0 else { throw .system(errno, "set the times of", path) }
    }

    private static func areEqual(_ left: Int32, _ right: Int32, _ path: BytePath) throws(WatchError) -> Bool {
        // What is compared should come from the disk and not from memory; the kernel may ignore the wish.
        _ = posix_fadvise(right, 0, 0, POSIX_FADV_DONTNEED)
        var first = [UInt8](repeating: 0, count: 1 << 20)
        var second = first
        var offset = 0
        while true {
            let count = try read(left, &first, at: offset, path)
            guard try read(right, &second, at: offset, path) == count else { return false }
            if count == 0 { return true }
            guard unsafe memcmp(first, second, count) == 0 else { return false }
            offset += count
        }
    }

    /// Fills the buffer as far as the file goes.
    private static func read(
        _ descriptor: Int32, _ buffer: inout [UInt8], at offset: Int, _ path: BytePath
    ) throws(WatchError) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = buffer.count - done
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress?.advanced(by: done), rest, off_t(offset + done))
            }
            if count == 0 { break }
            if count > 0 {
                done += count
            } else if errno != EINTR {
                throw .system(errno, "read", path)
            }
        }
        return done
    }
}

extension WatchError {
    static func changed(_ path: BytePath) -> WatchError {
        WatchError(
            "watch.changed", .outdated, "the file has changed since it was found whole",
            remedy: "Nothing: it is taken when it is whole again.", path: path)
    }

    static func notRegular(_ path: BytePath) -> WatchError {
        WatchError(
            "watch.not-a-file", .outdated, "it is not a regular file", remedy: "Put a regular file there.", path: path)
    }
}
