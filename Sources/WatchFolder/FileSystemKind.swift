internal import Glibc

/// The kind of file system that a folder is on, by the kernel's own table of mounts.
public struct FileSystemKind: Sendable, Hashable {
    /// As in `/proc/self/mountinfo`: `ext4`, `nfs4`, `fuse.sshfs`, …; empty when it cannot be told.
    public let name: String

    public init(name: String) { self.name = name }

    /// Whether changes may be made without this kernel knowing of them (another machine, a program), so that inotify
    /// stays silent and only looking again helps.
    public var needsPolling: Bool {
        let remote: Set = [
            "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gfs2", "ocfs2", "glusterfs",
            "vboxsf",
            "vmhgfs", "virtiofs", "ncpfs", "coda", "davfs", "prl_fs", "beegfs", "gpfs", "orangefs",
        ]
        return remote.contains(name) || name == "fuse" || name.hasPrefix("fuse.")
    }

    /// The kind of the file system that holds `folder`.
    public static func of(_ folder: BytePath) -> FileSystemKind {
        var raw = stat()
        guard unsafe stat(folder.cString, &raw) == 0, let stream = unsafe fopen("/proc/self/mountinfo", "re") else {
            return FileSystemKind(name: "")
        }
        defer { unsafe fclose(stream) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = unsafe fread(&chunk, 1, chunk.count, stream)
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return find(device: UInt64(raw.st_dev), in: String(decoding: bytes, as: UTF8.self))
    }

    /// The type of the last mount of a device in the text of a mountinfo:
    /// `36 35 98:0 /root /mount-point options tags… - type source options`.
    package static func find(device: UInt64, in mounts: String) -> FileSystemKind {
        // The encoding of `dev_t` by the C library.
        let major = (device >> 8 & 0xFFF) | (device >> 32 & ~0xFFF)
        let minor = (device & 0xFF) | (device >> 12 & 0xFFFF_FF00)
        var found = ""
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 6, fields[2] == "\(major):\(minor)",
                let dash = fields.dropFirst(6).firstIndex(of: "-"), dash + 1 < fields.count
            else { continue }
            found = String(fields[dash + 1])
        }
        return FileSystemKind(name: found)
    }
}
