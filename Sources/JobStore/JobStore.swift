internal import GRDB
internal import Glibc

/// The queue, the history and the checkpoints of one watch folder, in one SQLite file.
///
/// Every change is one transaction that is on the disk when the call returns (write-ahead log, full synchronisation),
/// so a process may be killed at any point. Calls are synchronous: a change costs one `fsync`, and waits at most
/// `busyTimeout` for another process. The store may be used from any thread.
public final class JobStore: Sendable {
    /// What the opener is to the store.
    public enum Access: Sendable, Hashable {
        /// The daemon: holds the lock, creates and migrates the database, repairs it.
        case owner
        /// A command beside the daemon: needs an existing database and takes no lock.
        case visitor
    }

    /// Seconds that a call waits for another process that writes.
    public static let busyTimeout = 5.0

    public let path: String
    /// Set when the database was damaged and a new one begun: to be shown loudly. Names the file that was moved aside.
    public let rebuilt: StoreError?

    let queue: DatabaseQueue
    let clock: @Sendable () -> Timestamp
    let board = ProgressBoard()
    private let lock: StoreLock?

    /// Opens the database at `path`. `sizeLimit` bounds the file in bytes: beyond it changes fail with
    /// `store.disk-full`.
    ///
    /// Throws `store.locked`, `store.newer-schema`, `store.foreign-database`, `store.disk-full`, `store.read-only`,
    /// `store.cannot-open`, `store.io`; for a visitor also `store.missing`, `store.older-schema`, `store.corrupt`.
    public init(
        path: String, access: Access = .owner, sizeLimit: Int? = nil,
        clock: @escaping @Sendable () -> Timestamp = { .now }
    ) throws(StoreError) {
        self.path = path
        self.clock = clock
        let opener = StoreOpener(path: path, sizeLimit: sizeLimit)
        switch access {
        case .owner:
            lock = try StoreLock(path: path + ".lock")
            (queue, rebuilt) = try opener.openAsOwner(now: clock())
        case .visitor:
            lock = nil
            rebuilt = nil
            queue = try opener.openAsVisitor()
        }
    }

    /// Closes the database and lets the lock go. Calls after this one throw; without it, both happen when the last
    /// reference goes.
    public func close() throws(StoreError) {
        do { try queue.close() } catch { throw .translating(error, file: path) }
        lock?.release()
    }

    func read<T>(_ body: (Database) throws -> T) throws(StoreError) -> T {
        do { return try queue.read(body) } catch { throw .translating(error, file: path) }
    }

    /// One transaction. On an error nothing is changed.
    func write<T>(_ body: (Database) throws -> T) throws(StoreError) -> T {
        do { return try queue.write(body) } catch { throw .translating(error, file: path) }
    }
}
