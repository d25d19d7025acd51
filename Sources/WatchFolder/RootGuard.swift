internal import Glibc

/// Knows the watched folder by device and inode, and tells when something else is in its place.
///
/// A folder made anew on the same file system, or on one newly mounted, is taken for the folder's return. A folder on
/// the file system of one of its ancestors, where it was not before, is the bare mount point of something unmounted:
/// files put there would be hidden by the next mount, so it counts as missing.
package struct RootGuard: Sendable {
    package enum Verdict: Sendable, Hashable {
        case same
        /// There is a folder again, but another one.
        case renewed
        case lost(WatchError)
    }

    package let path: BytePath
    private var identity: (device: UInt64, inode: UInt64)?
    /// Devices of the ancestors that are not the folder's own.
    private var underlying: Set<UInt64> = []

    package init(_ path: BytePath) { self.path = path }

    /// Looks at the folder; one `lstat` when nothing has changed.
    package mutating func check() -> Verdict {
        guard let status = FileStatus.of(path) else {
            let number = errno
            return .lost(
                number == ENOENT
                    ? WatchError(
                        "watch.folder-missing", .retryLater, "the watched folder is missing",
                        remedy: "Put the folder back or mount its file system; the watch goes on by itself.",
                        path: path,
                        number: number) : .system(number, "look at the watched folder", path))
        }
        guard status.kind == .folder else {
            return .lost(
                WatchError(
                    "watch.folder-replaced", .retryLater, "the watched folder has been replaced by a \(status.kind)",
                    remedy: "Put the folder back; links are not followed.", path: path))
        }
        if let identity, identity == (status.device, status.inode) { return .same }
        if underlying.contains(status.device) {
            return .lost(
                WatchError(
                    "watch.folder-unmounted", .retryLater, "the file system of the watched folder is not mounted",
                    remedy: "Mount it again; the watch goes on by itself.", path: path))
        }
        adopt(status)
        return .renewed
    }

    private mutating func adopt(_ status: FileStatus) {
        identity = (status.device, status.inode)
        underlying = []
        var ancestor = path.parent
        while true {
            var raw = stat()
            if unsafe stat(ancestor.isEmpty ? [46, 0] : ancestor.cString, &raw) == 0,
                UInt64(raw.st_dev) != status.device
            {
                underlying.insert(UInt64(raw.st_dev))
            }
            if ancestor.isEmpty || ancestor == "/" { break }
            ancestor = ancestor.parent
        }
    }
}
