internal import Glibc

/// A folder held open. What is below it is reached component by component without following links, so nobody who may
/// write inside can lead a call outside.
package final class OpenFolder: Sendable {
    package let descriptor: Int32
    /// For messages.
    package let path: BytePath

    /// Opens the folder at `path`; a link at its last component is refused.
    package init(_ path: BytePath) throws(WatchError) {
        descriptor = unsafe open(path.cString, Self.flags)
        self.path = path
        if descriptor < 0 { throw .system(errno, "open the folder", path) }
    }

    private init(adopting descriptor: Int32, path: BytePath) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    private static let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK

    /// The folder at a relative path; empty gives this folder again. With `making`, folders that are missing are made
    /// with that mode.
    package func folder(_ relative: BytePath, making mode: UInt32? = nil) throws(WatchError) -> OpenFolder {
        var current = self
        for component in relative.components {
            let path = current.path.appending(component)
            guard component != "..", component != "." else {
                throw WatchError(
                    "watch.unsafe-path", .configuration, "the path leaves its folder", remedy: "Use a plain path.",
                    path: path)
            }
            if let mode {
                if unsafe mkdirat(current.descriptor, component.cString, mode) == 0 {
                    try current.synchronize()
                } else if errno != EEXIST {
                    throw .system(errno, "make the folder", path)
                }
            }
            let next = unsafe openat(current.descriptor, component.cString, Self.flags)
            guard next >= 0 else { throw .system(errno, "open the folder", path) }
            current = OpenFolder(adopting: next, path: path)
        }
        return current
    }

    /// The status of an entry, links not followed; nil when there is none or the folder may not be searched.
    package func status(_ name: BytePath) -> FileStatus? {
        var raw = stat()
        let result = unsafe fstatat(descriptor, name.cString, &raw, AT_SYMLINK_NOFOLLOW)
        return result == 0 ? FileStatus(raw) : nil
    }

    /// Makes what was renamed, made or removed here survive a loss of power.
    package func synchronize() throws(WatchError) {
        // File systems without folder synchronization (some FUSE) say EINVAL; there is nothing more to be had there.
        if fsync(descriptor) != 0, errno != EINVAL { throw .system(errno, "synchronize the folder", path) }
    }

    /// Name and kind of each entry, in no order; `kind` is nil where only a stat would tell.
    package func entries() throws(WatchError) -> [(name: BytePath, kind: FileStatus.Kind?)] {
        // A descriptor of its own: reading moves its position, and closing the stream closes it.
        let copy = unsafe openat(descriptor, ".", Self.flags)
        guard copy >= 0, let stream = unsafe fdopendir(copy) else {
            let number = errno
            if copy >= 0 { close(copy) }
            throw .system(number, "list the folder", path)
        }
        defer { unsafe closedir(stream) }
        var result: [(BytePath, FileStatus.Kind?)] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                if errno != 0 { throw .system(errno, "list the folder", path) }
                return result
            }
            // The record is as long as its name: only its bytes may be touched.
            let name = unsafe UnsafeRawPointer(entry).advanced(by: MemoryLayout<dirent>.offset(of: \.d_name) ?? 19)
            let bytes = unsafe UnsafeRawBufferPointer(
                start: name, count: strlen(name.assumingMemoryBound(to: CChar.self)))
            let path = unsafe BytePath(Array(bytes))
            if path == "." || path == ".." { continue }
            unsafe result.append((path, Self.kind(Int(entry.pointee.d_type))))
        }
    }

    private static func kind(_ type: Int) -> FileStatus.Kind? {
        switch type {
        case Int(DT_DIR): .folder
        case Int(DT_REG): .file
        case Int(DT_LNK): .link
        case Int(DT_UNKNOWN): nil
        default: .other
        }
    }

    /// Removes an entry and, if it is a folder, what is in it. Links are removed and not followed. Nothing there is
    /// fine.
    package func remove(_ name: BytePath) throws(WatchError) {
        if unsafe unlinkat(descriptor, name.cString, 0) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM else { throw .system(errno, "remove", path.appending(name)) }
        let folder = try self.folder(name)
        for (entry, _) in try folder.entries() { try folder.remove(entry) }
        if unsafe unlinkat(descriptor, name.cString, AT_REMOVEDIR) != 0, errno != ENOENT {
            throw .system(errno, "remove", path.appending(name))
        }
    }
}
