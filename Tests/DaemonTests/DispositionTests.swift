import ConverterKit
import Daemon
import Glibc
import Testing

/// The table from a worker's end to what becomes of its job, row by row.
@Suite("What becomes of a job")
struct DispositionTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var end: WorkerEnd
        /// `done`, `interrupted`, `retry`, `lower`, `quarantine` or `bug`.
        var becomes: String
        var code: ConversionError.Code = ""
        var refusedMemory = false
        var kernelKilled: Bool?

        var testDescription: String { "\(end) → \(becomes) \(code)" }
    }

    static let startError = ConversionError("worker.cannot-start", .temporary, "m", remedy: "r")

    static let rows: [Row] = [
        Row(end: .exited(0), becomes: "done"),
        Row(end: .exited(64), becomes: "quarantine", code: "test.error"),
        Row(end: .exited(65), becomes: "quarantine", code: "test.error"),
        Row(end: .exited(66), becomes: "quarantine", code: "test.error"),
        Row(end: .exited(69), becomes: "quarantine", code: "test.error"),
        Row(end: .exited(78), becomes: "quarantine", code: "test.error"),
        Row(end: .exited(70), becomes: "bug", code: "test.error"),
        Row(end: .exited(73), becomes: "retry", code: "test.error"),
        Row(end: .exited(74), becomes: "retry", code: "test.error"),
        Row(end: .exited(75), becomes: "retry", code: "test.error"),
        Row(end: .exited(1), becomes: "bug", code: "worker.unexpected-exit"),
        Row(end: .exited(1), becomes: "lower", code: "worker.out-of-memory", refusedMemory: true),
        Row(end: .exited(127), becomes: "bug", code: "worker.unexpected-exit"),
        Row(end: .signalled(SIGSEGV), becomes: "bug", code: "worker.crashed"),
        Row(end: .signalled(SIGBUS), becomes: "bug", code: "worker.crashed"),
        Row(end: .signalled(SIGILL), becomes: "bug", code: "worker.crashed"),
        Row(end: .signalled(SIGABRT), becomes: "bug", code: "worker.crashed"),
        Row(end: .signalled(SIGTRAP), becomes: "bug", code: "worker.crashed"),
        Row(end: .signalled(SIGFPE), becomes: "bug", code: "worker.crashed"),
        Row(end: .signalled(SIGSYS), becomes: "bug", code: "worker.crashed"),
        Row(end: .signalled(SIGUSR2), becomes: "bug", code: "worker.crashed"),
        Row(end: .signalled(SIGABRT), becomes: "lower", code: "worker.out-of-memory", refusedMemory: true),
        Row(end: .signalled(SIGKILL), becomes: "lower", code: "worker.out-of-memory"),
        Row(end: .signalled(SIGKILL), becomes: "lower", code: "worker.out-of-memory", kernelKilled: true),
        Row(end: .signalled(SIGKILL), becomes: "retry", code: "worker.terminated", kernelKilled: false),
        Row(
            end: .signalled(SIGKILL), becomes: "lower", code: "worker.out-of-memory", refusedMemory: true,
            kernelKilled: false),
        Row(end: .signalled(SIGXCPU), becomes: "quarantine", code: "worker.cpu-limit"),
        Row(end: .signalled(SIGXFSZ), becomes: "quarantine", code: "worker.file-size-limit"),
        Row(end: .signalled(SIGTERM), becomes: "retry", code: "worker.terminated"),
        Row(end: .signalled(SIGHUP), becomes: "retry", code: "worker.terminated"),
        Row(end: .stopped(.noHeartbeat(.seconds(30))), becomes: "quarantine", code: "worker.no-heartbeat"),
        Row(
            end: .stopped(.stageDeadline(stage: "searching", .seconds(9))), becomes: "quarantine",
            code: "worker.stage-deadline"),
        Row(end: .stopped(.jobDeadline(.seconds(9))), becomes: "quarantine", code: "worker.job-deadline"),
        Row(end: .stopped(.cancelled), becomes: "interrupted"),
        Row(end: .notStarted(startError), becomes: "retry", code: "worker.cannot-start"),
    ]

    /// The outcome of a worker that left what one with this end leaves.
    static func outcome(_ row: Row) -> WorkerOutcome {
        var outcome = WorkerOutcome(
            end: row.end, hasResult: row.end == .exited(0), ranOutOfMemory: row.refusedMemory,
            kernelKilled: row.kernelKilled)
        if case .exited(let status) = row.end, let kind = ConversionError.Kind(rawValue: status) {
            outcome.failure = ConversionError("test.error", kind, "message", remedy: "remedy")
        }
        return outcome
    }

    @Test("each end leads where the table says", arguments: rows)
    func table(row: Row) {
        let policy = RetryPolicy()
        switch policy.disposition(of: Self.outcome(row), history: AttemptHistory(attempts: 1)) {
        case .done: #expect(row.becomes == "done")
        case .interrupted: #expect(row.becomes == "interrupted")
        case .quarantine(let error, let isBug):
            #expect(row.becomes == (isBug ? "bug" : "quarantine"))
            #expect(error.code == row.code)
        case .retry(let error, let delay, let plan, let countsAttempt):
            #expect(row.becomes == (plan == .lower ? "lower" : "retry"))
            #expect(error.code == row.code)
            #expect(delay == (plan == .lower ? .zero : policy.firstDelay))
            #expect(countsAttempt)
        }
    }

    @Test("success without a result is a bug")
    func noResult() {
        let disposition = RetryPolicy().disposition(
            of: WorkerOutcome(end: .exited(0)), history: AttemptHistory(attempts: 1))
        guard case .quarantine(let error, isBug: true) = disposition else {
            Issue.record("it became \(disposition)")
            return
        }
        #expect(error.code == "worker.no-result")
    }

    @Test("an error whose status is not the worker's is not believed")
    func disagreement() {
        var outcome = WorkerOutcome(end: .exited(65))
        outcome.failure = Self.startError
        guard case .quarantine(let error, _) = RetryPolicy().disposition(of: outcome, history: .init(attempts: 1))
        else {
            Issue.record("status 65 was not quarantined")
            return
        }
        #expect(error.code == "worker.unexpected-exit")
    }

    @Test("a passing error is given up after the last attempt, a full disk never")
    func attempts() {
        let policy = RetryPolicy()
        for attempt in 1...20 {
            for (code, waits) in [("input.busy", false), ("output.no-space", true)] {
                var outcome = WorkerOutcome(end: .exited(75))
                outcome.failure = ConversionError(.init(code), .temporary, "m", remedy: "r")
                let isRetried =
                    if case .retry(_, _, _, let counts) = policy.disposition(
                        of: outcome, history: .init(attempts: attempt))
                    {
                        counts == !waits
                    } else { false }
                #expect(isRetried == (waits || attempt < policy.maxAttempts), "\(code), attempt \(attempt)")
            }
        }
    }

    @Test("errors that last are not tried again", arguments: ["conversion.time-limit", "output.exists"])
    func lasting(code: String) {
        let kind: ConversionError.Kind = code == "output.exists" ? .cannotCreateOutput : .temporary
        var outcome = WorkerOutcome(end: .exited(kind.exitStatus))
        outcome.failure = ConversionError(.init(code), kind, "m", remedy: "r")
        let disposition = RetryPolicy().disposition(of: outcome, history: .init(attempts: 1))
        guard case .quarantine(let error, isBug: false) = disposition else {
            Issue.record("\(code) became \(disposition)")
            return
        }
        #expect(error.code.name == code)
    }

    @Test("delays double up to the longest, however many attempts there were")
    func delays() {
        let policy = RetryPolicy()
        let delays = (1...8).map { policy.delay(after: $0) }
        #expect(delays.map { $0 / .seconds(1) } == [5, 10, 20, 40, 80, 160, 300, 300])
        for attempts in [0, 100, Int.max] { #expect(policy.delay(after: attempts) <= policy.longestDelay) }
    }

    @Test("every error says what to do")
    func remedies() {
        for row in Self.rows {
            switch RetryPolicy().disposition(of: Self.outcome(row), history: .init(attempts: 1)) {
            case .quarantine(let error, _), .retry(let error, _, _, _):
                #expect(
                    !error.message.isEmpty && error.remedy.hasSuffix(".") || error.code == "test.error"
                        || error == Self.startError)
            case .done, .interrupted: break
            }
        }
    }
}
