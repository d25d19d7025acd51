import JobStore
import TestSupport
import Testing

@Suite("The life of a job")
struct LifecycleTests {
    @Test("a job that succeeds leaves its facts, its outputs and its history")
    func success() throws {
        let fixture = try StoreFixture()
        let id = try fixture.job(.done)
        var job = try fixture.store.show(id)
        #expect(job.facts == .half)
        #expect(job.outputs == [.model])
        #expect(job.failure == nil)
        #expect(job.finished == fixture.clock.now)
        #expect(!job.isSettled)
        try fixture.store.settle(id, location: JobPath("done/model.onnx"))
        job = try fixture.store.show(id)
        #expect(job.isSettled)
        #expect(job.location == JobPath("done/model.onnx"))
        #expect(
            try fixture.store.history(of: id).map(\.what) == ["enqueued", "started", "publishing", "done", "settled"])
    }

    @Test("a failure keeps its code, message, remedy, site and exit status")
    func failure() throws {
        let fixture = try StoreFixture()
        let id = try fixture.job(.failed)
        #expect(try fixture.store.show(id).failure == .bad)
        try fixture.store.retry(id)
        let job = try fixture.store.show(id)
        #expect(job.failure == nil)
        #expect(job.state == .queued)
        #expect(job.finished == nil)
    }

    /// A change, and the states in which it is allowed.
    struct Change: CustomStringConvertible, Sendable {
        var description: String
        var allowed: Set<JobState>
        var make: @Sendable (JobStore, JobID) throws -> Void
    }

    static let changes: [Change] = [
        Change(description: "markPublishing", allowed: [.running]) { store, id in
            try store.markPublishing(id, outputs: [.model], facts: nil)
        },
        Change(description: "finish", allowed: [.publishing]) { store, id in try store.finish(id) },
        Change(description: "fail", allowed: [.queued, .waiting, .running, .publishing]) { store, id in
            try store.fail(id, .bad)
        },
        Change(description: "retryLater", allowed: [.queued, .waiting, .running, .publishing]) { store, id in
            try store.retryLater(id, at: .now, because: .disk, countingAttempt: true)
        },
        Change(description: "requeue", allowed: [.queued, .waiting, .running, .publishing]) { store, id in
            try store.requeue(id, because: "test", countingAttempt: true)
        },
        Change(description: "retry", allowed: [.failed, .cancelled, .waiting]) { store, id in try store.retry(id) },
        Change(description: "forced retry", allowed: [.failed, .cancelled, .waiting, .done]) { store, id in
            try store.retry(id, force: true)
        },
        Change(description: "cancel", allowed: [.queued, .waiting, .running]) { store, id in _ = try store.cancel(id) },
        Change(description: "confirmCancellation", allowed: [.running]) { store, id in
            try store.confirmCancellation(id)
        },
        Change(description: "settle", allowed: [.done, .failed, .cancelled]) { store, id in
            try store.settle(id, location: nil)
        },
    ]

    @Test("each change is made from the states that allow it, and changes nothing from the others", arguments: changes)
    func allowedChanges(change: Change) throws {
        for state in JobState.allCases {
            let fixture = try StoreFixture()
            let id = try fixture.job(state)
            let before = try fixture.store.show(id)
            let history = try fixture.store.history(of: id)
            let error = storeError { try change.make(fixture.store, id) }
            if change.allowed.contains(state) {
                #expect(error == nil, "\(change) from \(state)")
                #expect(try fixture.store.history(of: id).count == history.count + 1, "\(change) from \(state)")
            } else {
                #expect(error?.code == "store.wrong-state", "\(change) from \(state)")
                #expect(try fixture.store.show(id) == before, "\(change) from \(state)")
                #expect(try fixture.store.history(of: id) == history, "\(change) from \(state)")
            }
        }
    }

    @Test("a job that is not there is an error of its own", arguments: changes)
    func missing(change: Change) throws {
        let fixture = try StoreFixture()
        let error = storeError { try change.make(fixture.store, JobID(99)) }
        #expect(error?.code == "store.no-such-job")
        #expect(error?.kind.exitStatus == 66)
    }

    @Test("a command beside the daemon cancels a running job, and the daemon sees it")
    func cancelRunning() throws {
        let fixture = try StoreFixture()
        let id = try fixture.job(.running)
        let version = try fixture.store.dataVersion()
        let visitor = try JobStore(path: fixture.path, access: .visitor)
        #expect(try visitor.cancel(id) == .requested)
        #expect(try visitor.cancel(id) == .requested)
        #expect(try fixture.store.dataVersion() != version)
        #expect(try fixture.store.cancellationRequests() == [id])
        try fixture.store.confirmCancellation(id)
        #expect(try fixture.store.cancellationRequests().isEmpty)
        let job = try visitor.show(id)
        #expect(job.state == .cancelled)
        #expect(!job.cancellationRequested)
    }

    @Test("progress is shown at once, and written at a change of stage only")
    func progress() throws {
        let fixture = try StoreFixture()
        let id = try fixture.job(.running)
        let visitor = try JobStore(path: fixture.path, access: .visitor)
        let version = try visitor.dataVersion()
        try fixture.store.report(id, stage: "search", fraction: 0.1)
        #expect(try visitor.dataVersion() != version)
        let afterFirst = try visitor.dataVersion()
        for step in 0..<200 { try fixture.store.report(id, stage: "search", fraction: 0.1 + Double(step) / 1000) }
        #expect(try visitor.dataVersion() == afterFirst)
        #expect(try fixture.store.show(id).progress == 0.1 + 0.199)
        try fixture.store.report(id, stage: "export", fraction: .nan)
        #expect(try visitor.show(id).stage == "export")
        #expect(try visitor.show(id).progress == 0)
        try fixture.store.fail(id, .bad)
        try fixture.store.report(id, stage: "late", fraction: 0.5)
        #expect(try fixture.store.show(id).stage == nil)
    }

    @Test("checkpoints are replaced by stage, survive a failure, and go when the job is done")
    func checkpoints() throws {
        let fixture = try StoreFixture()
        let id = try fixture.job(.running)
        try fixture.store.save(Checkpoint(stage: "search", format: 1, contents: [1, 2, 0, 255]), of: id)
        try fixture.store.save(Checkpoint(stage: "search", format: 2, contents: [9]), of: id)
        try fixture.store.save(Checkpoint(stage: "export", format: 1, path: JobPath("x/y")), of: id)
        let expected = [
            Checkpoint(stage: "search", format: 2, contents: [9]),
            Checkpoint(stage: "export", format: 1, path: JobPath("x/y")),
        ]
        #expect(try fixture.store.checkpoints(of: id) == expected)
        try fixture.store.fail(id, .bad)
        try fixture.store.retry(id)
        #expect(try fixture.store.checkpoints(of: id) == expected)
        #expect(try fixture.claim() == id)
        try fixture.store.markPublishing(id, outputs: [], facts: nil)
        try fixture.store.finish(id)
        #expect(try fixture.store.checkpoints(of: id).isEmpty)
    }

    @Test("recovery names what each job that a crash left behind needs, and repeats until it is done")
    func recovery() throws {
        let fixture = try StoreFixture()
        let running = try fixture.job(.running, "running")
        let publishing = try fixture.job(.publishing, "publishing")
        let failed = try fixture.job(.failed, "failed")
        let settled = try fixture.job(.done, "settled")
        try fixture.store.settle(settled, location: nil)
        try fixture.add("queued")
        for _ in 0..<2 {
            let list = try fixture.store.recoverAtStart(attemptLimit: 3)
            #expect(list.map(\.job.id) == [running, publishing, failed])
            #expect(list.map(\.action) == [.requeue, .compareOutputs, .settle])
            #expect(list[1].job.outputs == [.model])
        }
        try fixture.store.requeue(running, because: "crash", countingAttempt: true)
        try fixture.store.finish(publishing)
        try fixture.store.settle(publishing, location: nil)
        try fixture.store.settle(failed, location: JobPath("failed/x"))
        #expect(try fixture.store.recoverAtStart(attemptLimit: 3).isEmpty)
    }

    @Test("purging forgets old settled jobs with all that belongs to them, and no others")
    func purge() throws {
        let fixture = try StoreFixture()
        let old = try fixture.job(.done, "old")
        let unsettled = try fixture.job(.done, "unsettled")
        try fixture.store.settle(old, location: nil)
        fixture.clock.advance(seconds: 100)
        let new = try fixture.job(.done, "new")
        try fixture.store.settle(new, location: nil)
        let queued = try fixture.add("queued")
        #expect(try fixture.store.purge(finishedBefore: fixture.clock.now) == 1)
        #expect(try fixture.store.list().map(\.id) == [queued, new, unsettled])
        #expect(try fixture.store.history(of: old).isEmpty)
        #expect(try fixture.store.integrityProblems().isEmpty)
        #expect(try fixture.add("later") > queued)
    }

    @Test("lists filter by state and go on page by page, the newest first")
    func lists() throws {
        let fixture = try StoreFixture()
        let ids = try (0..<10).map { try fixture.add("model-\($0)") }
        let failed = try fixture.job(.failed, "failed")
        #expect(try fixture.store.list(JobFilter(states: [.failed])).map(\.id) == [failed])
        let first = try fixture.store.list(JobFilter(states: [.queued], limit: 4)).map(\.id)
        #expect(first == Array(ids.reversed()[..<4]))
        let second = try fixture.store.list(JobFilter(states: [.queued], before: first[3], limit: 4)).map(\.id)
        #expect(second == Array(ids.reversed()[4..<8]))
        let counts = try fixture.store.counts()
        #expect(counts[.queued] == 10)
        #expect(counts[.failed] == 1)
        #expect(counts[.running] == 0)
        #expect(counts.count == JobState.allCases.count)
    }
}
