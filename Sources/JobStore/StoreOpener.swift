internal import GRDB
internal import Glibc

/// Brings a database file into the state that the store expects, or says why it cannot be.
struct StoreOpener {
    let path: String
    let sizeLimit: Int?

    /// Checking every index of a database this size takes well under a second; a larger one gets the quick check.
    private static let thoroughCheckLimit = 64 << 20

    /// The open database, and the error to show when it had to be begun anew.
    func openAsOwner(now: Timestamp) throws(StoreError) -> (DatabaseQueue, StoreError?) {
        do {
            return (try openChecked(), nil)
        } catch let error where error.code == "store.corrupt" {
            let aside = try moveAside(now: now)
            let report = StoreError(
                "store.corrupt", .inputOutput,
                "the job store was damaged; it was moved to \(aside) and a new one was begun",
                remedy: "Queue and history are gone; models still in the folders are found again. Check the disk, then "
                    + "delete the damaged file.",
                file: path, cause: error.cause)
            return (try openChecked(), report)
        }
    }

    func openAsVisitor() throws(StoreError) -> DatabaseQueue {
        guard unsafe access(path, F_OK) == 0 else {
            throw StoreError(
                "store.missing", .missing, "there is no job store here",
                remedy: "Give the root of a watch folder on which `rene watch` has run.", file: path)
        }
        do {
            let queue = try connect()
            try queue.read { db in
                try checkOrigin(db)
                guard try Schema.migrator.hasCompletedMigrations(db) else {
                    throw StoreError(
                        "store.older-schema", .configuration, "the job store is of an earlier version of rene",
                        remedy: "Start the daemon of this version once: it brings the job store up to date.", file: path
                    )
                }
            }
            return queue
        } catch {
            throw .translating(error, file: path)
        }
    }

    private func openChecked() throws(StoreError) -> DatabaseQueue {
        do {
            let queue = try connect()
            try queue.writeWithoutTransaction { db in
                let problems = try Self.check(db)
                if let first = problems.first {
                    throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "\(problems.count) problems: \(first)")
                }
                try checkOrigin(db)
                // Not before, and not by GRDB, which writes to the file to that end: a damaged file and one of another
                // version stay as they are.
                let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
                guard mode == "wal" else {
                    throw StoreError(
                        "store.cannot-open", .cannotCreate,
                        "the job store's file system does not allow a write-ahead log",
                        remedy: "Keep the job store on a local disk.", file: path, cause: "mode \(mode ?? "none")")
                }
            }
            try Schema.migrator.migrate(queue)
            try synchronizeFolder()
            return queue
        } catch {
            throw .translating(error, file: path)
        }
    }

    private func connect() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "rene.job-store"
        configuration.busyMode = .timeout(JobStore.busyTimeout)
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = FULL")
            if let sizeLimit {
                let page = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
                try db.execute(sql: "PRAGMA max_page_count = \(max(1, sizeLimit / page))")
            }
        }
        return queue
    }

    /// Damage found, in SQLite's words.
    static func check(_ db: Database) throws -> [String] {
        let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
        let size = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 0
        let pragma = pages * size <= thoroughCheckLimit ? "integrity_check" : "quick_check"
        return try String.fetchAll(db, sql: "PRAGMA \(pragma)").filter { $0 != "ok" }
    }

    /// Refuses another program's database and one that a later version has written.
    private func checkOrigin(_ db: Database) throws {
        let tables = try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'table'")
        let id = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        // Between its creation and its first migration a database of ours has no more than the table of migrations.
        guard id == Schema.applicationID || id == 0 && Set(tables).isSubset(of: ["grdb_migrations"]) else {
            throw StoreError(
                "store.foreign-database", .configuration, "the file is a database of another program",
                remedy: "Move it away, or choose another root.", file: path)
        }
        if try Schema.migrator.hasBeenSuperseded(db) {
            throw StoreError(
                "store.newer-schema", .configuration, "the job store was written by a later version of rene",
                remedy: "Install that version again, or move the file away to begin a new job store.", file: path)
        }
    }

    /// Renames the database with its log, so that the pair can still be examined; returns the new name.
    private func moveAside(now: Timestamp) throws(StoreError) -> String {
        var aside = "\(path).damaged-\(now.milliseconds)"
        var number = 1
        while unsafe access(aside, F_OK) == 0 {
            number += 1
            aside = "\(path).damaged-\(now.milliseconds)-\(number)"
        }
        // The log first: a log without its database is ignored, a database without its log loses what the log holds.
        for suffix in ["-wal", "-shm", ""] where unsafe rename(path + suffix, aside + suffix) != 0 && errno != ENOENT {
            throw StoreError(
                "store.cannot-open", .cannotCreate, "the damaged job store cannot be moved aside",
                remedy: "Move the file away by hand.", file: path, cause: unsafe String(cString: strerror(errno)))
        }
        return aside
    }

    /// Makes the file's name as durable as its contents.
    private func synchronizeFolder() throws(StoreError) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = unsafe Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw StoreError(
                "store.io", .inputOutput, "the folder of the job store cannot be synchronized",
                remedy: "Check the disk's health and the kernel's log.", file: folder,
                cause: unsafe String(cString: strerror(errno)))
        }
    }
}
