internal import Glibc

/// Which file a descriptor is.
struct FileIdentity: Sendable, Hashable {
    var device: UInt64
    var inode: UInt64

    /// `nil` if the descriptor is not open.
    init?(descriptor: Int32) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}
