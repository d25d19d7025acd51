internal import GRDB

/// A change of a job's state, as one row update and one event.
struct Transition {
    var id: JobID
    /// States from which the change may be made.
    var from: Set<JobState>
    var to: JobState
    /// What could not be done from another state: completes "and cannot …".
    var wish: String
    var event: String
    var detail: String?
    /// Further columns.
    var columns: [String: (any DatabaseValueConvertible)?] = [:]

    /// Makes the change, or throws `store.no-such-job` or `store.wrong-state`. Returns the job as it was.
    @discardableResult
    func apply(_ db: Database, now: Timestamp) throws -> Job {
        let job = try Job.fetch(db, id)
        guard from.contains(job.state) else { throw StoreError.wrongState(id, job.state, wish) }
        var columns = columns
        columns["state"] = to.rawValue
        columns["updated"] = now.milliseconds
        columns["finished"] = .some(to.isFinal ? now.milliseconds : nil)
        if to != .waiting { columns["retry_at"] = .some(nil) }
        if to != .running { columns["cancellation_requested"] = false }
        if to != .running && to != .publishing { columns["stage"] = .some(nil) }
        let names = columns.keys.sorted()
        try db.execute(
            sql: "UPDATE job SET \(names.map { "\($0) = ?" }.joined(separator: ", ")) WHERE id = ?",
            arguments: StatementArguments(names.map { columns[$0] ?? nil } + [id.number]))
        try Self.record(db, id, event, detail, now: now)
        return job
    }

    static func record(_ db: Database, _ id: JobID, _ what: String, _ detail: String?, now: Timestamp) throws {
        try db.execute(
            sql: "INSERT INTO event (job, at, what, detail) VALUES (?, ?, ?, ?)",
            arguments: [id.number, now.milliseconds, what, detail])
    }

    /// The columns of a failure, or of none.
    static func columns(_ failure: JobFailure?) -> [String: (any DatabaseValueConvertible)?] {
        [
            "error_code": failure?.code, "error_message": failure?.message, "error_remedy": failure?.remedy,
            "error_site": failure?.site, "error_status": failure?.exitStatus,
        ]
    }
}
