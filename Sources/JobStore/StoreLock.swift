internal import Glibc
internal import Synchronization

/// The lock that makes one process the owner of a store. It lies in a file of its own, since SQLite's locks belong to
/// the process and are lost when any descriptor of the database is closed.
final class StoreLock: Sendable {
    private let descriptor: Int32
    private let held = Atomic(true)

    /// Takes the lock, or throws `store.locked` at once.
    init(path: String) throws(StoreError) {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            let number = errno
            let full = number == ENOSPC || number == EDQUOT
            throw StoreError(
                full ? "store.disk-full" : "store.cannot-open", full ? .temporary : .cannotCreate,
                "the lock of the job store cannot be made",
                remedy: "Check that its folder exists, has room, and that this process may write there.", file: path,
                cause: unsafe String(cString: strerror(number)))
        }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let number = errno
            if number == EINTR { continue }
            let owner = Self.read(descriptor)
            close(descriptor)
            guard number == EWOULDBLOCK else {
                throw StoreError(
                    "store.cannot-open", .cannotCreate, "the lock of the job store cannot be taken",
                    remedy: "Keep the job store on a file system that knows flock.", file: path,
                    cause: unsafe String(cString: strerror(number)))
            }
            throw StoreError(
                "store.locked", .temporary,
                "another daemon has this job store" + (owner.isEmpty ? "" : ": process \(owner)"),
                remedy: "Stop the other one first, or give this one a root of its own.", file: path)
        }
        self.descriptor = descriptor
        // Who holds it, for the message above. Without room for it the lock holds all the same.
        let text = Array("\(getpid())\n".utf8)
        if ftruncate(descriptor, 0) == 0 { _ = unsafe pwrite(descriptor, text, text.count, 0) }
    }

    /// Lets the lock go. It is unlocked rather than only closed, since a child between fork and exec has the same lock.
    func release() {
        guard held.exchange(false, ordering: .acquiringAndReleasing) else { return }
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    deinit { release() }

    private static func read(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = unsafe pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)).prefix { $0 >= 0x30 && $0 <= 0x39 }, as: UTF8.self)
    }
}
