import JobStore
import TestSupport
import Testing

@Suite("The queue")
struct QueueTests {
    @Test(
        "the same content with the same settings is a duplicate while it is queued, under way or done",
        arguments: [JobState.queued, .waiting, .running, .publishing, .done])
    func duplicates(state: JobState) throws {
        let fixture = try StoreFixture()
        let id = try fixture.job(state)
        guard case .duplicate(let job) = try fixture.store.enqueue(.named("model")) else {
            Issue.record("it was enqueued again in state \(state)")
            return
        }
        #expect(job.id == id)
        #expect(job.state == state)
        #expect(try fixture.store.list().count == 1)
    }

    @Test("content that failed or was cancelled is taken again", arguments: [JobState.failed, .cancelled])
    func afterFailure(state: JobState) throws {
        let fixture = try StoreFixture()
        let id = try fixture.job(state)
        #expect(try fixture.add("model") > id)
    }

    @Test("other settings, or force, make another job of the same content")
    func notDuplicates() throws {
        let fixture = try StoreFixture()
        try fixture.add("model")
        try fixture.add("model", forced: true)
        guard case .enqueued = try fixture.store.enqueue(.named("model", settings: "other")) else {
            Issue.record("other settings were taken for the same")
            return
        }
        #expect(try fixture.store.list(JobFilter(sourceDigest: "sha-model")).count == 3)
        #expect(try fixture.store.queueDepth() == 3)
    }

    @Test("the highest priority is claimed first, and among equals the oldest")
    func order() throws {
        let fixture = try StoreFixture()
        let low = try fixture.add("low", priority: -1)
        let first = try fixture.add("first")
        let second = try fixture.add("second")
        let high = try fixture.add("high", priority: 5)
        var order: [JobID] = []
        while let id = try fixture.claim() { order.append(id) }
        #expect(order == [high, first, second, low])
    }

    @Test(
        "a job waits while another of the same content and settings runs, and others pass it; then it finds the result")
    func twins() throws {
        let fixture = try StoreFixture()
        let first = try fixture.add("model")
        let twin = try fixture.add("model", forced: true)
        let other = try fixture.add("other")
        #expect(try fixture.claim() == first)
        #expect(try fixture.claim() == other)
        #expect(try fixture.claim() == nil)
        #expect(try fixture.store.twins(of: fixture.store.show(twin)) == [])
        try fixture.store.markPublishing(first, outputs: [], facts: nil)
        #expect(try fixture.claim() == nil)
        try fixture.store.finish(first)
        #expect(try fixture.claim() == twin)
        #expect(try fixture.store.twins(of: fixture.store.show(twin)).map(\.id) == [first])
        #expect(try fixture.store.twins(of: fixture.store.show(first)) == [])
    }

    @Test("a job that is done is run again by force only, and is marked so")
    func forced() throws {
        let fixture = try StoreFixture()
        let id = try fixture.job(.done)
        #expect(throws: StoreError.self) { try fixture.store.retry(id) }
        try fixture.store.retry(id, force: true)
        #expect(try fixture.claim() == id)
        #expect(try fixture.store.show(id).isForced)
    }

    @Test("a job that was put off keeps its turn among those that are due")
    func waitingKeepsItsTurn() throws {
        let fixture = try StoreFixture()
        let old = try fixture.job(.waiting, "old")
        let new = try fixture.add("new", priority: 1_000_000)
        fixture.clock.advance(seconds: 61)
        #expect(try fixture.claim() == old)
        #expect(try fixture.claim() == new)
    }

    @Test("a job that needs more memory than there is stays, and smaller ones pass it")
    func memory() throws {
        let fixture = try StoreFixture()
        let large = try fixture.add("large", memory: 1000)
        let small = try fixture.add("small", memory: 10)
        let unknown = try fixture.add("unknown")
        #expect(try fixture.claim(memory: 100) == small)
        #expect(try fixture.claim(memory: 100) == unknown)
        #expect(try fixture.claim(memory: 100) == nil)
        #expect(try fixture.claim() == large)
    }

    @Test("a waiting job is claimed when its time has come, not before")
    func waiting() throws {
        let fixture = try StoreFixture()
        let id = try fixture.job(.waiting)
        #expect(try fixture.claim() == nil)
        #expect(try fixture.store.nextRetry() == fixture.clock.now.adding(seconds: 60))
        fixture.clock.advance(seconds: 59.999)
        #expect(try fixture.claim() == nil)
        fixture.clock.advance(seconds: 0.001)
        #expect(try fixture.claim() == id)
        #expect(try fixture.store.show(id).retryAt == nil)
        #expect(try fixture.store.nextRetry() == nil)
    }

    @Test("a clock set back by a day does not make a job wait for a day")
    func clockSetBack() throws {
        let fixture = try StoreFixture()
        let id = try fixture.job(.waiting)
        fixture.clock.advance(seconds: -86_400)
        #expect(try fixture.claim() == id)
    }

    @Test("a run is counted before it begins, on the disk")
    func countedBefore() throws {
        let fixture = try StoreFixture()
        let id = try fixture.add("model")
        guard case .job(let job) = try fixture.store.claimNext(attemptLimit: 3) else {
            Issue.record("nothing was claimed")
            return
        }
        #expect(job.attempts == 1)
        #expect(job.state == .running)
        let other = try JobStore(path: fixture.path, access: .visitor)
        #expect(try other.show(id).attempts == 1)
    }

    @Test("a job that takes the daemon down each time fails after the last allowed run", arguments: 1...4)
    func poison(limit: Int) throws {
        let fixture = try StoreFixture()
        let id = try fixture.add("poison")
        for run in 1...limit {
            #expect(try fixture.claim(limit: limit) == id, "run \(run) of \(limit)")
            let recovery = try fixture.store.recoverAtStart(attemptLimit: limit)
            #expect(recovery.map(\.action) == [run < limit ? .requeue : .quarantine], "run \(run) of \(limit)")
            try fixture.store.requeue(id, because: "the daemon was killed", countingAttempt: true)
        }
        guard case .exhausted(let job) = try fixture.store.claimNext(attemptLimit: limit) else {
            Issue.record("run \(limit + 1) of \(limit) was allowed")
            return
        }
        #expect(job.id == id)
        #expect(job.state == .failed)
        #expect(job.failure?.code == "job.attempts-exhausted")
        #expect(try fixture.store.claimNext(attemptLimit: limit) == .none)
    }

    @Test("waiting for room on the disk never exhausts a job")
    func fullDiskDoesNotExhaust() throws {
        let fixture = try StoreFixture()
        let id = try fixture.add("model")
        for round in 1...20 {
            #expect(try fixture.claim(limit: 2) == id, "round \(round)")
            try fixture.store.retryLater(
                id, at: fixture.clock.now.adding(seconds: 5), because: .disk, countingAttempt: false)
            #expect(try fixture.store.show(id).deferrals == round)
            fixture.clock.advance(seconds: 6)
        }
        #expect(try fixture.store.show(id).attempts == 0)
    }

    @Test("two threads never get the same job")
    func concurrentClaims() async throws {
        let fixture = try StoreFixture()
        for number in 0..<60 { try fixture.add("model-\(number)") }
        let claimed = try await withThrowingTaskGroup(of: [JobID].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var ids: [JobID] = []
                    while let id = try fixture.claim() { ids.append(id) }
                    return ids
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(claimed.count == 60)
        #expect(Set(claimed).count == 60)
    }
}
