internal import GRDB

/// A model to be converted.
public struct JobRequest: Sendable, Hashable {
    /// The model's path below `inbox`.
    public var path: JobPath
    /// SHA-256 of the model with its data files, hexadecimal.
    public var sourceDigest: String
    /// Digest of the settings that the result depends on, hexadecimal.
    public var settingsDigest: String
    /// Where the claimed files are, relative to the root.
    public var location: JobPath?
    public var priority: Int
    /// Bytes of memory that its worker is expected to need.
    public var estimatedMemory: Int?

    public init(
        path: JobPath, sourceDigest: String, settingsDigest: String, location: JobPath? = nil, priority: Int = 0,
        estimatedMemory: Int? = nil
    ) {
        self.path = path
        self.sourceDigest = sourceDigest
        self.settingsDigest = settingsDigest
        self.location = location
        self.priority = priority
        self.estimatedMemory = estimatedMemory
    }
}

public enum EnqueueOutcome: Sendable, Hashable {
    case enqueued(Job)
    /// The same content is queued, under way or done with the same settings; nothing was added.
    case duplicate(of: Job)
}

public enum ClaimOutcome: Sendable, Hashable {
    /// A job that is running now; its run is counted already.
    case job(Job)
    /// A job whose runs are used up. It has failed, and its files are to be moved to `failed`.
    case exhausted(Job)
    /// Nothing may be claimed now.
    case none
}

extension JobStore {
    /// Adds a job. Unless `forced`, content that is queued, under way or done with the same settings is not added
    /// again; what failed or was cancelled before is.
    public func enqueue(_ request: JobRequest, forced: Bool = false) throws(StoreError) -> EnqueueOutcome {
        let now = clock()
        return try write { db in
            if !forced,
                let known = try Job.fetchAll(
                    db,
                    """
                    WHERE source_sha256 = ? AND settings_sha256 = ? AND state NOT IN ('failed', 'cancelled')
                    ORDER BY id DESC LIMIT 1
                    """, [request.sourceDigest, request.settingsDigest]
                ).first
            {
                return .duplicate(of: known)
            }
            try db.execute(
                sql: """
                    INSERT INTO job (path, location, source_sha256, settings_sha256, priority, estimated_memory, state,
                        enqueued, updated)
                    VALUES (?, ?, ?, ?, ?, ?, 'queued', ?, ?)
                    """,
                arguments: [
                    DatabaseBytes(request.path.bytes), request.location.map { DatabaseBytes($0.bytes) },
                    request.sourceDigest, request.settingsDigest, request.priority, request.estimatedMemory,
                    now.milliseconds, now.milliseconds,
                ])
            let id = JobID(db.lastInsertedRowID)
            try Transition.record(db, id, "enqueued", forced ? "forced" : nil, now: now)
            return .enqueued(try Job.fetch(db, id))
        }
    }

    /// Takes the job of the highest priority, the oldest first, and counts its run before it begins. A job that has
    /// begun `attemptLimit` runs fails instead. `memory`, in bytes, leaves out jobs that are expected to need more. A job
    /// of the same content and settings as one that runs waits for that one's result, which it may copy.
    public func claimNext(attemptLimit: Int, memory: Int? = nil) throws(StoreError) -> ClaimOutcome {
        let now = clock()
        return try write { db in
            guard let id = try Self.next(db, memory: memory, now: now) else { return .none }
            let job = try Job.fetch(db, id)
            guard job.attempts < attemptLimit else {
                let failure = JobFailure(
                    code: "job.attempts-exhausted",
                    message: "the conversion was begun \(job.attempts) times and never came to an end",
                    remedy: "See the job's log; after the cause is gone, run `rene jobs retry \(id)`.",
                    site: job.failure?.site, exitStatus: 70)
                try Transition(
                    id: id, from: [.queued, .waiting], to: .failed, wish: "fail", event: "failed",
                    detail: failure.code, columns: Transition.columns(failure)
                ).apply(db, now: now)
                return .exhausted(try Job.fetch(db, id))
            }
            var columns = Transition.columns(nil)
            columns["attempts"] = job.attempts + 1
            columns["progress"] = 0.0
            columns["started"] = now.milliseconds
            try Transition(
                id: id, from: [.queued, .waiting], to: .running, wish: "run", event: "started",
                detail: "attempt \(job.attempts + 1)", columns: columns
            ).apply(db, now: now)
            return .job(try Job.fetch(db, id))
        }
    }

    /// The job whose turn it is. Two look-ups by index, since one over both states would sort the whole queue.
    private static func next(_ db: Database, memory: Int?, now: Timestamp) throws -> JobID? {
        // A waiting job that was touched in the future was touched before the clock was set back: it waits no longer.
        let due = "(retry_at <= :now OR updated > :now)"
        let fits = "(:memory IS NULL OR estimated_memory IS NULL OR estimated_memory <= :memory)"
        let single = """
            NOT EXISTS (SELECT 1 FROM job AS twin WHERE twin.source_sha256 = job.source_sha256
                AND twin.settings_sha256 = job.settings_sha256 AND twin.state IN ('running', 'publishing'))
            """
        let candidates = try ["state = 'queued'", "state = 'waiting' AND \(due)"].compactMap { condition in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT id, priority FROM job WHERE \(condition) AND \(fits) AND \(single)
                    ORDER BY priority DESC, id LIMIT 1
                    """,
                arguments: condition.contains(":now")
                    ? ["memory": memory, "now": now.milliseconds] : ["memory": memory])
        }
        let turns = candidates.map { row -> (priority: Int, id: Int64) in (row["priority"], row["id"]) }
        return turns.min { ($1.priority, $0.id) < ($0.priority, $1.id) }.map { JobID($0.id) }
    }
}
