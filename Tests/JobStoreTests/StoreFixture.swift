import JobStore
import Synchronization
import TestSupport

/// A store in a folder of its own, with a clock that tests move.
final class StoreFixture: Sendable {
    let folder: TemporaryFolder
    let store: JobStore

    init(sizeLimit: Int? = nil) throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        let clock = MovableClock()
        self.clock = clock
        store = try JobStore(path: folder.path + "/state.sqlite", sizeLimit: sizeLimit, clock: { clock.now })
    }

    let clock: MovableClock
    var path: String { folder.path + "/state.sqlite" }

    /// Adds a job whose content is `name`.
    @discardableResult
    func add(_ name: String, priority: Int = 0, memory: Int? = nil, forced: Bool = false) throws -> JobID {
        guard
            case .enqueued(let job) = try store.enqueue(
                .named(name, priority: priority, memory: memory), forced: forced)
        else { throw Unexpected(what: "\(name) is a duplicate") }
        return job.id
    }

    /// Adds a job and brings it to `state`.
    func job(_ state: JobState, _ name: String = "model") throws -> JobID {
        let id = try add(name, priority: 1_000_000)
        switch state {
        case .queued: break
        case .waiting:
            try store.retryLater(id, at: clock.now.adding(seconds: 60), because: .disk, countingAttempt: true)
        case .cancelled: _ = try store.cancel(id)
        case .failed: try store.fail(id, .bad)
        case .running, .publishing, .done:
            guard case .job(let claimed) = try store.claimNext(attemptLimit: 3), claimed.id == id else {
                throw Unexpected(what: "another job was claimed")
            }
            if state == .running { break }
            try store.markPublishing(id, outputs: [.model], facts: .half)
            if state == .done { try store.finish(id) }
        }
        return id
    }

    /// The next job by claim, or `nil`.
    func claim(limit: Int = 3, memory: Int? = nil) throws -> JobID? {
        guard case .job(let job) = try store.claimNext(attemptLimit: limit, memory: memory) else { return nil }
        return job.id
    }
}

struct Unexpected: Error {
    var what: String
}

/// A wall clock that stands still until it is moved.
final class MovableClock: Sendable {
    private let time = Mutex(Timestamp(milliseconds: 1_790_000_000_000))

    var now: Timestamp { time.withLock { $0 } }

    func advance(seconds: Double) { time.withLock { $0 = $0.adding(seconds: seconds) } }
}

extension JobRequest {
    static func named(_ name: String, settings: String = "default", priority: Int = 0, memory: Int? = nil) -> JobRequest
    {
        JobRequest(
            path: JobPath("zoo/\(name).onnx"), sourceDigest: "sha-\(name)", settingsDigest: settings,
            priority: priority,
            estimatedMemory: memory)
    }
}

extension JobFailure {
    static let disk = JobFailure(code: "output.no-space", message: "full", remedy: "Free some.", exitStatus: 75)
    static let bad = JobFailure(
        code: "onnx.truncated", message: "ends early", remedy: "Copy it again.", site: "offset 12", exitStatus: 65)
}

extension OutputFile {
    static let model = OutputFile(path: JobPath("outbox/model.onnx"), sha256: "abc", bytes: 17)
}

extension ResultFacts {
    static let half = ResultFacts(
        parametersBefore: 10, parametersAfter: 5, macsBefore: 100, macsAfter: 50, bytesBefore: 40, bytesAfter: 20)
}

/// The store's error that `body` throws, or `nil`.
func storeError(_ body: () throws -> Void) -> StoreError? {
    do {
        try body()
        return nil
    } catch {
        return error as? StoreError
    }
}
