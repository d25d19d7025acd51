internal import GRDB

/// What a crash left behind, and what the daemon does about it.
public struct Recovery: Sendable, Hashable {
    public enum Action: Sendable, Hashable {
        /// It was running, and may run again: clear its work folder, then `requeue`.
        case requeue
        /// It was running, and its runs are used up: `fail`, move its files to `failed`, `settle`.
        case quarantine
        /// It was being published. Where every file of `job.outputs` is under its name with its digest: `finish`.
        /// Otherwise remove those of them that are there with their digest, then `requeue`.
        case compareOutputs
        /// It ended, but its source was not brought to its last place: do that, then `settle`.
        case settle
    }

    public var job: Job
    public var action: Action
}

/// The store as a file.
public struct StoreDiagnostics: Sendable, Hashable, Encodable {
    public var sqlite: String
    public var journalMode: String
    /// 2 is FULL.
    public var synchronous: Int
    public var bytes: Int
    /// Applied migrations.
    public var schema: [String]
}

extension JobStore {
    /// What is to be done before the first claim. Changes nothing: each action ends with a change of its job, so a
    /// crash in the middle of recovery leaves the rest of the list for the next start.
    public func recoverAtStart(attemptLimit: Int) throws(StoreError) -> [Recovery] {
        try read { db in
            try Job.fetchAll(
                db,
                """
                WHERE state IN ('running', 'publishing')
                    OR state IN ('done', 'failed', 'cancelled') AND settled = 0
                ORDER BY id
                """)
        }.map { job in
            switch job.state {
            case .publishing: Recovery(job: job, action: .compareOutputs)
            case .running: Recovery(job: job, action: job.attempts < attemptLimit ? .requeue : .quarantine)
            default: Recovery(job: job, action: .settle)
            }
        }
    }

    /// Forgets jobs that ended before `time` and are settled, with their history; returns how many. Their content
    /// counts as new from then on.
    @discardableResult
    public func purge(finishedBefore time: Timestamp) throws(StoreError) -> Int {
        try write { db in
            try db.execute(
                sql: "DELETE FROM job WHERE settled = 1 AND finished < ?", arguments: [time.milliseconds])
            return db.changesCount
        }
    }

    /// Damage in the database, in SQLite's words; empty when there is none.
    public func integrityProblems() throws(StoreError) -> [String] {
        try read { db in try StoreOpener.check(db) }
    }

    public func diagnostics() throws(StoreError) -> StoreDiagnostics {
        try read { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            let size = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 0
            return StoreDiagnostics(
                sqlite: try String.fetchOne(db, sql: "SELECT sqlite_version()") ?? "",
                journalMode: try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? "",
                synchronous: try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1,
                bytes: pages * size, schema: try Schema.migrator.completedMigrations(db))
        }
    }
}
