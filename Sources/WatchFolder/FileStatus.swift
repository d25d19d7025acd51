internal import Glibc

/// What `lstat` says of a file: enough to know it again and to see that it has changed.
public struct FileStatus: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        case file, folder, link, fifo, socket, device, other
    }

    /// Seconds and nanoseconds since 1970, compared for equality only.
    public struct Time: Hashable, Sendable {
        public var seconds: Int
        public var nanoseconds: Int

        public init(seconds: Int, nanoseconds: Int = 0) {
            self.seconds = seconds
            self.nanoseconds = nanoseconds
        }
    }

    public var kind: Kind
    public var device: UInt64
    public var inode: UInt64
    /// Bytes.
    public var size: Int
    public var modified: Time
    /// Of the inode: a rename or a change of permissions moves it too.
    public var changed: Time

    public init(kind: Kind = .file, device: UInt64, inode: UInt64, size: Int, modified: Time, changed: Time) {
        self.kind = kind
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
    }

    /// Whether both are the same file with the same content as far as times tell; a rename in between does not count.
    public func isSameContent(as other: FileStatus) -> Bool {
        isSameFile(as: other) && kind == other.kind && size == other.size && modified == other.modified
    }

    /// Whether both are one inode.
    public func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }
}

extension FileStatus {
    init(_ raw: stat) {
        kind =
            switch raw.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFCHR, S_IFBLK: .device
            default: .other
            }
        device = UInt64(raw.st_dev)
        inode = UInt64(raw.st_ino)
        size = Int(raw.st_size)
        modified = Time(seconds: raw.st_mtim.tv_sec, nanoseconds: raw.st_mtim.tv_nsec)
        changed = Time(seconds: raw.st_ctim.tv_sec, nanoseconds: raw.st_ctim.tv_nsec)
    }

    /// The status of what `path` names, links not followed; nil, with `errno` set, when there is none.
    package static func of(_ path: BytePath) -> FileStatus? {
        var raw = stat()
        return unsafe lstat(path.cString, &raw) == 0 ? FileStatus(raw) : nil
    }

    /// The status of an open file.
    static func of(descriptor: Int32) -> FileStatus? {
        var raw = stat()
        return unsafe fstat(descriptor, &raw) == 0 ? FileStatus(raw) : nil
    }
}
