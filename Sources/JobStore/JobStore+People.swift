internal import GRDB

public enum CancelOutcome: Sendable, Hashable {
    /// It was not running, and is cancelled.
    case cancelled
    /// It is running; the daemon sees the wish and stops the worker.
    case requested
}

/// What people ask for, also beside a running daemon.
extension JobStore {
    /// Brings a job that failed, was cancelled or waits into the queue, with its attempts counted anew. A job that is
    /// done needs `force`, which also drops its checkpoints and lets the new result replace the old one.
    public func retry(_ id: JobID, force: Bool = false) throws(StoreError) {
        var columns = Transition.columns(nil)
        columns["attempts"] = 0
        columns["deferrals"] = 0
        columns["progress"] = 0.0
        columns["settled"] = false
        columns["forced"] = force
        let from: Set<JobState> = force ? [.failed, .cancelled, .waiting, .done] : [.failed, .cancelled, .waiting]
        let transition = Transition(
            id: id, from: from, to: .queued, wish: "be retried" + (force ? "" : " without force"), event: "retried",
            detail: force ? "forced" : nil, columns: columns)
        try apply(transition) { db, _ in
            try OutputFile.replace(db, id, with: [])
            if force { try db.execute(sql: "DELETE FROM checkpoint WHERE job = ?", arguments: [id.number]) }
        }
    }

    /// Cancels a job. One that is being published is past that: `store.wrong-state`.
    public func cancel(_ id: JobID) throws(StoreError) -> CancelOutcome {
        let now = clock()
        return try write { db in
            let job = try Job.fetch(db, id)
            if job.state == .running {
                if !job.cancellationRequested {
                    try db.execute(
                        sql: "UPDATE job SET cancellation_requested = 1, updated = ? WHERE id = ?",
                        arguments: [now.milliseconds, id.number])
                    try Transition.record(db, id, "cancellation-requested", nil, now: now)
                }
                return .requested
            }
            try Transition(
                id: id, from: [.queued, .waiting], to: .cancelled, wish: "be cancelled", event: "cancelled"
            ).apply(db, now: now)
            return .cancelled
        }
    }

    /// Running jobs that somebody wants to be stopped.
    public func cancellationRequests() throws(StoreError) -> [JobID] {
        try read { db in
            try Int64.fetchAll(
                db, sql: "SELECT id FROM job WHERE state = 'running' AND cancellation_requested = 1 ORDER BY id"
            ).map { JobID($0) }
        }
    }

    /// The worker of a running job was stopped on request.
    public func confirmCancellation(_ id: JobID) throws(StoreError) {
        let transition = Transition(
            id: id, from: [.running], to: .cancelled, wish: "be cancelled", event: "cancelled")
        try apply(transition) { db, _ in
            try db.execute(sql: "DELETE FROM checkpoint WHERE job = ?", arguments: [id.number])
        }
    }

    /// A number that changes when another process has changed the database: a cheap way to notice `retry` and `cancel`.
    public func dataVersion() throws(StoreError) -> Int {
        try read { db in try Int.fetchOne(db, sql: "PRAGMA data_version") ?? 0 }
    }
}
