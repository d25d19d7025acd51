internal import GRDB

/// Which jobs to list.
public struct JobFilter: Sendable, Hashable {
    /// Empty: every state.
    public var states: Set<JobState>
    /// Jobs with a number below this: the next page.
    public var before: JobID?
    /// The same source, whatever the settings.
    public var sourceDigest: String?
    public var limit: Int

    public init(states: Set<JobState> = [], before: JobID? = nil, sourceDigest: String? = nil, limit: Int = 1000) {
        self.states = states
        self.before = before
        self.sourceDigest = sourceDigest
        self.limit = limit
    }
}

extension JobStore {
    /// Jobs, the newest first.
    public func list(_ filter: JobFilter = JobFilter()) throws(StoreError) -> [Job] {
        let states = (filter.states.isEmpty ? Set(JobState.allCases) : filter.states).map { $0.rawValue }.sorted()
        var arguments = StatementArguments(states)
        var conditions = ["state IN (\(states.map { _ in "?" }.joined(separator: ", ")))"]
        if let before = filter.before {
            conditions.append("id < ?")
            arguments += [before.number]
        }
        if let digest = filter.sourceDigest {
            conditions.append("source_sha256 = ?")
            arguments += [digest]
        }
        arguments += [max(0, filter.limit)]
        let rest = "WHERE \(conditions.joined(separator: " AND ")) ORDER BY id DESC LIMIT ?"
        return try read { db in try Job.fetchAll(db, rest, arguments) }.map { board.updating($0) }
    }

    /// One job; throws `store.no-such-job`.
    public func show(_ id: JobID) throws(StoreError) -> Job {
        board.updating(try read { db in try Job.fetch(db, id) })
    }

    /// Jobs that are done with the same content and settings as `job`, the newest first; not `job` itself.
    public func twins(of job: Job) throws(StoreError) -> [Job] {
        try read { db in
            try Job.fetchAll(
                db, "WHERE source_sha256 = ? AND settings_sha256 = ? AND state = 'done' AND id <> ? ORDER BY id DESC",
                [job.sourceDigest, job.settingsDigest, job.id.number])
        }
    }

    /// What happened to a job, in order.
    public func history(of id: JobID) throws(StoreError) -> [JobEvent] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT at, what, detail FROM event WHERE job = ? ORDER BY id", arguments: [id.number]
            ).map { JobEvent(at: Timestamp(milliseconds: $0["at"]), what: $0["what"], detail: $0["detail"]) }
        }
    }

    /// Jobs in each state; every state has an entry.
    public func counts() throws(StoreError) -> [JobState: Int] {
        let rows = try read { db in try Row.fetchAll(db, sql: "SELECT state, count(*) AS n FROM job GROUP BY state") }
        var counts = Dictionary(uniqueKeysWithValues: JobState.allCases.map { ($0, 0) })
        for row in rows {
            if let state = JobState(rawValue: row["state"]) { counts[state] = row["n"] }
        }
        return counts
    }

    /// Jobs that are queued or wait.
    public func queueDepth() throws(StoreError) -> Int {
        try read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM job WHERE state IN ('queued', 'waiting')") ?? 0
        }
    }

    /// When the first waiting job may be claimed; `nil` when none waits.
    public func nextRetry() throws(StoreError) -> Timestamp? {
        try read { db in try Int64.fetchOne(db, sql: "SELECT min(retry_at) FROM job WHERE state = 'waiting'") }
            .map { Timestamp(milliseconds: $0) }
    }
}
