internal import Glibc

/// The kernel's inotify, one instance.
package final class InotifyNotifier: FolderNotifier {
    package let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    /// Throws `watch.instance-limit` when the system grants no more instances.
    package init() throws(WatchError) {
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { throw Self.limit(errno, "/") }
    }

    deinit { close(descriptor) }

    // Modification is not asked for: it comes once a write, and the size is looked at again anyhow before a file counts
    // as whole.
    private static let interest: UInt32 = {
        let parts = [
            IN_CLOSE_WRITE, IN_MOVED_TO, IN_MOVED_FROM, IN_CREATE, IN_DELETE, IN_ATTRIB, IN_DELETE_SELF, IN_MOVE_SELF,
            IN_ONLYDIR, IN_DONT_FOLLOW, IN_EXCL_UNLINK,
        ]
        return parts.reduce(0) { $0 | UInt32(bitPattern: Int32(truncatingIfNeeded: $1)) }
    }()

    package func add(_ folder: BytePath) throws(WatchError) -> Int32 {
        let watch = unsafe inotify_add_watch(descriptor, folder.cString, Self.interest)
        guard watch >= 0 else { throw Self.limit(errno, folder) }
        return watch
    }

    package func remove(_ watch: Int32) { _ = inotify_rm_watch(descriptor, watch) }

    package func read() throws(WatchError) -> [InotifyEvent] {
        var events: [InotifyEvent] = []
        // Bounded, so that a flood of events does not keep what is due from being looked at.
        for _ in 0..<16 {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            if count > 0 {
                events += InotifyEvent.decode(buffer[..<count])
            } else if count < 0, errno == EINTR {
                continue
            } else if count < 0, errno != EAGAIN {
                throw .system(errno, "read inotify events", "")
            } else {
                break
            }
        }
        return events
    }

    /// The named conditions of inotify's two limits, each with what to raise.
    package static func limit(_ number: Int32, _ path: BytePath) -> WatchError {
        switch number {
        case ENOSPC:
            WatchError(
                "watch.watch-limit", .retryLater, "the system grants no more inotify watches; polling instead",
                remedy: "Raise it: sysctl fs.inotify.max_user_watches=524288"
                    + " (in a user namespace also /proc/sys/user/max_inotify_watches).",
                path: path, number: number)
        case EMFILE:
            WatchError(
                "watch.instance-limit", .retryLater, "the system grants no more inotify instances; polling instead",
                remedy: "Raise it: sysctl fs.inotify.max_user_instances=1024, or LimitNOFILE of the service.",
                path: path, number: number)
        default: .system(number, "watch the folder", path)
        }
    }
}
