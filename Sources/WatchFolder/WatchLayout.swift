internal import Glibc

/// The folders of a watched root:
///
///     ROOT/inbox    models are put here
///     ROOT/outbox   results, in the inbox's sub-folders
///     ROOT/done     sources of finished jobs
///     ROOT/failed   one folder for each failed job: its source, error.json, its log
///     ROOT/.work    one folder for each job; private
public struct WatchLayout: Sendable, Hashable {
    public enum Folder: String, Sendable, Hashable, CaseIterable {
        case inbox, outbox, done, failed
        case work = ".work"
    }

    /// Absolute.
    public let root: BytePath

    /// A relative root is taken from the current folder.
    public init(root: BytePath) {
        if root.isAbsolute {
            self.root = root
        } else {
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            let found = unsafe getcwd(&buffer, buffer.count) != nil
            let current = BytePath(found ? buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) } : [BytePath.slash])
            self.root = current.appending(root)
        }
    }

    public func path(_ folder: Folder) -> BytePath { root.appending(BytePath(folder.rawValue)) }

    public var inbox: BytePath { path(.inbox) }
    public var outbox: BytePath { path(.outbox) }
    public var done: BytePath { path(.done) }
    public var failed: BytePath { path(.failed) }
    public var work: BytePath { path(.work) }

    /// To be called once at the start: makes the folders that are missing (never the root itself, which may be a mount
    /// point without its file system), makes `.work` private, and checks that all can be written to.
    ///
    /// Returns the folders that are not on the file system of `.work`. If there are any and `allowingCopies` is false,
    /// throws `watch.other-file-system`: files would have to be copied on the way, which takes time and twice the room
    /// and is not atomic.
    @discardableResult
    public func prepare(allowingCopies: Bool = false) throws(WatchError) -> Set<Folder> {
        // Links on the way to the root are the administrator's business; inside it none are followed.
        guard unsafe access(root.cString, W_OK | X_OK) == 0 else { throw .system(errno, "use the root folder", root) }
        for folder in Folder.allCases {
            let path = path(folder)
            if unsafe mkdir(path.cString, folder == .work ? 0o700 : 0o777) != 0, errno != EEXIST {
                throw .system(errno, "make the folder", path)
            }
        }
        let work = try OpenFolder(work)
        guard fchmod(work.descriptor, 0o700) == 0 else { throw .system(errno, "make the folder private", self.work) }
        let device = FileStatus.of(descriptor: work.descriptor)?.device
        var elsewhere: Set<Folder> = []
        for folder in Folder.allCases {
            let path = path(folder)
            let opened = try OpenFolder(path)
            guard unsafe access(path.cString, W_OK | X_OK) == 0 else {
                throw .system(errno, "write to the folder", path)
            }
            if FileStatus.of(descriptor: opened.descriptor)?.device != device { elsewhere.insert(folder) }
        }
        if !allowingCopies, let folder = elsewhere.sorted(by: { $0.rawValue < $1.rawValue }).first {
            throw .system(EXDEV, "move files from \(self.work) to \(path(folder))", path(folder))
        }
        return elsewhere
    }
}
