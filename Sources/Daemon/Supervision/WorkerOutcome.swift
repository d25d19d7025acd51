public import ConverterKit

/// How a worker ended.
public enum WorkerEnd: Sendable, Hashable {
    case exited(Int32)
    /// Ended by a signal that the supervisor did not send.
    case signalled(Int32)
    /// Ended by the supervisor.
    case stopped(StopReason)
    case notStarted(ConversionError)
}

/// Why the supervisor ended a worker.
public enum StopReason: Sendable, Hashable {
    case noHeartbeat(Duration)
    case stageDeadline(stage: String, Duration)
    case jobDeadline(Duration)
    /// The daemon drains, or the job was cancelled by a person.
    case cancelled
}

/// Everything known of a worker that has ended.
public struct WorkerOutcome: Sendable {
    public var end: WorkerEnd
    /// The error that the worker left.
    public var failure: ConversionError?
    /// Whether it left a result.
    public var hasResult: Bool
    /// Whether an allocation was refused, or memory in use came near the limit.
    public var ranOutOfMemory: Bool
    /// Whether the kernel killed a process for lack of memory while the worker ran; `nil` where it does not tell.
    public var kernelKilled: Bool?
    public var lastBeat: Beat?
    public var usage: WorkerUsage

    public init(
        end: WorkerEnd, failure: ConversionError? = nil, hasResult: Bool = false, ranOutOfMemory: Bool = false,
        kernelKilled: Bool? = nil, lastBeat: Beat? = nil, usage: WorkerUsage = WorkerUsage()
    ) {
        self.kernelKilled = kernelKilled
        self.end = end
        self.failure = failure
        self.hasResult = hasResult
        self.ranOutOfMemory = ranOutOfMemory
        self.lastBeat = lastBeat
        self.usage = usage
    }
}

/// What a worker took.
public struct WorkerUsage: Sendable, Hashable {
    public var seconds: Double
    /// Of all its threads and of the children it waited for.
    public var processorSeconds: Double
    /// Largest resident set, bytes.
    public var residentBytes: Int

    public init(seconds: Double = 0, processorSeconds: Double = 0, residentBytes: Int = 0) {
        self.seconds = seconds
        self.processorSeconds = processorSeconds
        self.residentBytes = residentBytes
    }
}
