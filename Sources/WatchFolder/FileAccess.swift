internal import Glibc

/// Whether a file can be taken now.
package enum FileAccess: Sendable, Hashable {
    case free
    /// Some program has it open for writing.
    case held
    /// It cannot be read: the system's error number.
    case denied(Int32)
    /// It went away or became something else.
    case gone
}

/// What the stability rules ask of the files; a table in tests.
package protocol FileProbe {
    /// Nil when there is nothing. Relative to the inbox.
    func status(of path: BytePath) -> FileStatus?
    func access(to path: BytePath) -> FileAccess
}

/// The files below a folder.
package struct FolderProbe: FileProbe, Sendable {
    package let root: BytePath

    package init(root: BytePath) { self.root = root }

    package func status(of path: BytePath) -> FileStatus? { FileStatus.of(root.appending(path)) }

    package func access(to path: BytePath) -> FileAccess {
        // A FIFO would let an open wait for a writer, a device may do anything: neither is opened.
        guard FileStatus.of(root.appending(path))?.kind == .file else { return .gone }
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let descriptor = unsafe open(root.appending(path).cString, flags)
        guard descriptor >= 0 else {
            let number = errno
            return number == ENOENT || number == ELOOP || number == ENOTDIR ? .gone : .denied(number)
        }
        defer { close(descriptor) }
        guard FileStatus.of(descriptor: descriptor)?.kind == .file else { return .gone }
        return Self.hasWriter(descriptor) ? .held : .free
    }

    /// Whether any program has the file open for writing, or mapped so, as far as the file system can tell: the kernel
    /// grants a read lease only when there is none. Where leases are not granted at all the answer is false.
    static func hasWriter(_ descriptor: Int32) -> Bool {
        // Constants of <fcntl.h> that are behind _GNU_SOURCE.
        let setSignal: Int32 = 10
        let setLease: Int32 = 1024
        // A writer that opens the file in the instant of the lease makes the kernel signal this process. The default
        // signal, SIGIO, would end it; SIGURG is ignored unless asked for.
        guard fcntl(descriptor, setSignal, SIGURG) == 0 else { return false }
        if fcntl(descriptor, setLease, Int32(F_RDLCK)) == 0 {
            _ = fcntl(descriptor, setLease, Int32(F_UNLCK))
            return false
        }
        return errno == EAGAIN
    }
}
