public import ConverterKit

/// What becomes of a job whose worker has ended.
public enum Disposition: Sendable, Hashable {
    case done
    /// To be run again after `delay`. Where `countsAttempt` is false the run is not held against the job.
    case retry(ConversionError, delay: Duration, plan: MemoryPlan, countsAttempt: Bool)
    /// To `failed/`. A bug is ours and not the model's.
    case quarantine(ConversionError, isBug: Bool)
    /// The daemon itself ended the run; the job stays queued, or was cancelled by a person.
    case interrupted
}

/// How much memory a run may plan with.
public enum MemoryPlan: String, Sendable, Hashable, Codable {
    case normal
    /// After a lack of memory: one thread, half the memory for each layer's numerics, and no other worker beside it.
    case lower
}

/// What has happened to a job before, the run that has just ended included.
public struct AttemptHistory: Sendable, Hashable {
    /// Runs so far.
    public var attempts: Int
    /// The memory plan of the last run.
    public var plan: MemoryPlan

    public init(attempts: Int, plan: MemoryPlan = .normal) {
        self.attempts = attempts
        self.plan = plan
    }
}

/// When a job is run again.
public struct RetryPolicy: Sendable, Hashable {
    /// Runs after which a passing error counts as lasting.
    public var maxAttempts = 5
    public var firstDelay: Duration = .seconds(5)
    public var longestDelay: Duration = .seconds(300)
    /// Errors that last although their kind says they may pass.
    public var lasting: [ConversionError.Code] = ["conversion.time-limit", "output.exists"]
    /// Errors that end when somebody makes room: waited for as long as it takes.
    public var waiting: [ConversionError.Code] = ["output.no-space", "work.no-space", "scratch.no-space"]

    public init() {}

    /// The delay after the given number of attempts: doubles from the first to the longest.
    public func delay(after attempts: Int) -> Duration {
        let doublings = min(max(attempts - 1, 0), 30)
        return min(firstDelay * (1 << doublings), longestDelay)
    }

    /// What becomes of the job.
    public func disposition(of outcome: WorkerOutcome, history: AttemptHistory) -> Disposition {
        let verdict = WorkerVerdict(outcome)
        if verdict == .done { return .done }
        let error = verdict.error(of: outcome)
        switch verdict {
        case .done: return .done
        case .interrupted: return .interrupted
        case .refused: return .quarantine(error, isBug: false)
        case .bug: return .quarantine(error, isBug: true)
        case .outOfMemory:
            guard history.plan == .normal else { return .quarantine(error, isBug: false) }
            return .retry(error, delay: .zero, plan: .lower, countsAttempt: true)
        case .passing:
            if waiting.contains(where: { $0 ~= error }) {
                return .retry(error, delay: delay(after: history.attempts), plan: history.plan, countsAttempt: false)
            }
            if history.attempts >= maxAttempts || lasting.contains(where: { $0 ~= error }) {
                return .quarantine(error, isBug: false)
            }
            return .retry(error, delay: delay(after: history.attempts), plan: history.plan, countsAttempt: true)
        }
    }
}
