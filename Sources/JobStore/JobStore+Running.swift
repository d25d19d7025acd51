internal import GRDB

/// What happens to a job while it is under way.
extension JobStore {
    /// Notes what the worker is doing. `fraction` is the share of the whole job, 0…1. Cheap: most reports stay in
    /// memory (see `ProgressBoard`), and reports on a job that no longer runs are ignored.
    public func report(_ id: JobID, stage: String, fraction: Double) throws(StoreError) {
        let fraction = fraction.isFinite ? min(max(fraction, 0), 1) : 0
        guard board.note(id, stage: stage, fraction: fraction) else { return }
        let now = clock()
        let runs = try write { db in
            try db.execute(
                sql: "UPDATE job SET stage = ?, progress = ?, updated = ? WHERE id = ? AND state = 'running'",
                arguments: [stage, fraction, now.milliseconds, id.number])
            return db.changesCount > 0
        }
        if !runs { board.forget(id) }
    }

    /// The result is verified, and `outputs` are about to get their final names, in this order. Must be called before
    /// the first rename: after a crash it tells what to look for.
    public func markPublishing(_ id: JobID, outputs: [OutputFile], facts: ResultFacts?) throws(StoreError) {
        var columns: [String: (any DatabaseValueConvertible)?] = ["stage": "publishing", "progress": 1.0]
        columns["parameters_before"] = .some(facts?.parametersBefore)
        columns["parameters_after"] = .some(facts?.parametersAfter)
        columns["macs_before"] = .some(facts?.macsBefore)
        columns["macs_after"] = .some(facts?.macsAfter)
        columns["bytes_before"] = .some(facts?.bytesBefore)
        columns["bytes_after"] = .some(facts?.bytesAfter)
        let transition = Transition(
            id: id, from: [.running], to: .publishing, wish: "be published", event: "publishing",
            detail: outputs.first.map { "\($0.path)" }, columns: columns)
        try apply(transition) { db, _ in try OutputFile.replace(db, id, with: outputs) }
    }

    /// The outputs have their final names, durably.
    public func finish(_ id: JobID) throws(StoreError) {
        var columns = Transition.columns(nil)
        columns["deferrals"] = 0
        let transition = Transition(
            id: id, from: [.publishing], to: .done, wish: "be done", event: "done", columns: columns)
        try apply(transition) { db, _ in
            try db.execute(sql: "DELETE FROM checkpoint WHERE job = ?", arguments: [id.number])
        }
    }

    /// The job cannot be done.
    public func fail(_ id: JobID, _ failure: JobFailure) throws(StoreError) {
        try apply(
            Transition(
                id: id, from: [.queued, .waiting, .running, .publishing], to: .failed, wish: "fail", event: "failed",
                detail: "\(failure.code): \(failure.message)", columns: Transition.columns(failure)))
    }

    /// Puts the job off. Where the reason lies outside it, such as a full disk, `countingAttempt` is false and the run
    /// that was counted is given back, so that waiting never exhausts a job.
    public func retryLater(
        _ id: JobID, at time: Timestamp, because failure: JobFailure, countingAttempt: Bool
    ) throws(StoreError) {
        try putBack(
            id, to: .waiting, event: "waiting", detail: "until \(time): \(failure.code)", failure: failure,
            retryAt: time, countingAttempt: countingAttempt)
    }

    /// Puts the job back into the queue at its old place: after a crash, or when the daemon stops before it is done.
    public func requeue(_ id: JobID, because reason: String, countingAttempt: Bool) throws(StoreError) {
        try putBack(
            id, to: .queued, event: "requeued", detail: reason, failure: nil, retryAt: nil,
            countingAttempt: countingAttempt)
    }

    private func putBack(
        _ id: JobID, to state: JobState, event: String, detail: String, failure: JobFailure?, retryAt: Timestamp?,
        countingAttempt: Bool
    ) throws(StoreError) {
        var columns = Transition.columns(failure)
        columns["progress"] = 0.0
        columns["retry_at"] = .some(retryAt?.milliseconds)
        let transition = Transition(
            id: id, from: [.queued, .waiting, .running, .publishing], to: state, wish: "be put off", event: event,
            detail: detail, columns: columns)
        try apply(transition) { db, before in
            let began = before.state == .running || before.state == .publishing
            try db.execute(
                sql: "UPDATE job SET attempts = max(0, attempts - ?), deferrals = deferrals + ? WHERE id = ?",
                arguments: [began && !countingAttempt ? 1 : 0, state == .waiting ? 1 : 0, id.number])
            try OutputFile.replace(db, id, with: [])
        }
    }

    /// Where the claimed files are now, relative to the root.
    public func move(_ id: JobID, to location: JobPath?) throws(StoreError) {
        let now = clock()
        try write { db in
            _ = try Job.fetch(db, id)
            try db.execute(
                sql: "UPDATE job SET location = ?, updated = ? WHERE id = ?",
                arguments: [location.map { DatabaseBytes($0.bytes) }, now.milliseconds, id.number])
        }
    }

    /// The files of a job that has ended are at their last place, `location` (`nil` when they were deleted). Until this
    /// is called, `recoverAtStart` lists the job.
    public func settle(_ id: JobID, location: JobPath?) throws(StoreError) {
        let now = clock()
        try write { db in
            let job = try Job.fetch(db, id)
            guard job.state.isFinal else { throw StoreError.wrongState(id, job.state, "be settled") }
            try db.execute(
                sql: "UPDATE job SET settled = 1, location = ?, updated = ? WHERE id = ?",
                arguments: [location.map { DatabaseBytes($0.bytes) }, now.milliseconds, id.number])
            try Transition.record(db, id, "settled", location.map { "\($0)" }, now: now)
        }
    }

    /// A change of state with what belongs to it, in one transaction. `also` gets the job as it was.
    func apply(
        _ transition: Transition, also: (Database, Job) throws -> Void = { _, _ in }
    ) throws(StoreError) {
        let now = clock()
        try write { db in
            let before = try transition.apply(db, now: now)
            try also(db, before)
        }
        if transition.to != .running { board.forget(transition.id) }
    }
}
