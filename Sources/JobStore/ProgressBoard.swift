internal import Synchronization

/// The progress of running jobs in memory. A worker reports often and a write costs an `fsync`, so the database gets a
/// report when the stage changes, at the end, and otherwise once in `interval`.
final class ProgressBoard: Sendable {
    struct Entry {
        var stage: String
        var fraction: Double
        var written: ContinuousClock.Instant
    }

    static let interval: Duration = .seconds(2)

    private let entries = Mutex<[JobID: Entry]>([:])

    /// Notes a report; returns whether it must be written.
    func note(_ id: JobID, stage: String, fraction: Double) -> Bool {
        let now = ContinuousClock.now
        return entries.withLock { entries in
            let known = entries[id]
            let due = known.map { $0.stage != stage || now - $0.written >= Self.interval } ?? true
            entries[id] = Entry(stage: stage, fraction: fraction, written: due ? now : known?.written ?? now)
            return due
        }
    }

    func forget(_ id: JobID) { entries.withLock { _ = $0.removeValue(forKey: id) } }

    /// The job with what its worker said last, if it is running.
    func updating(_ job: Job) -> Job {
        guard job.state == .running, let entry = entries.withLock({ $0[job.id] }) else { return job }
        var job = job
        job.stage = entry.stage
        job.progress = entry.fraction
        return job
    }
}
