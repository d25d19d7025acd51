internal import ConverterKit
internal import Glibc

/// What an end means, apart from how often it has happened.
enum WorkerVerdict: Sendable, Hashable {
    case done
    /// The model, its settings or its surroundings are at fault, and another run would say the same.
    case refused
    /// This program is at fault.
    case bug
    case outOfMemory
    /// Another run may do better.
    case passing
    case interrupted

    /// By exit status; every other status is a bug.
    static let byStatus: [Int32: WorkerVerdict] = [
        0: .done, 64: .refused, 65: .refused, 66: .refused, 69: .refused, 70: .bug, 73: .passing, 74: .passing,
        75: .passing, 78: .refused,
    ]

    /// By a signal that we did not send; every other signal is a bug.
    static let bySignal: [Int32: WorkerVerdict] = [
        SIGSEGV: .bug, SIGBUS: .bug, SIGILL: .bug, SIGABRT: .bug, SIGTRAP: .bug, SIGFPE: .bug, SIGSYS: .bug,
        // The kernel sends it when memory runs out, and where it counts that, a person otherwise.
        SIGKILL: .outOfMemory,
        SIGXCPU: .refused, SIGXFSZ: .refused,
        // Somebody ends processes by hand, or the service manager all of the service's.
        SIGTERM: .passing, SIGINT: .passing, SIGHUP: .passing, SIGQUIT: .passing,
    ]

    init(_ outcome: WorkerOutcome) {
        switch outcome.end {
        case .exited(let status):
            let verdict = Self.byStatus[status] ?? .bug
            switch verdict {
            case .done: self = outcome.hasResult ? .done : .bug
            case .bug where outcome.ranOutOfMemory && outcome.failure == nil: self = .outOfMemory
            default: self = verdict
            }
        case .signalled(let signal):
            let isByHand = signal == SIGKILL && outcome.kernelKilled == false && !outcome.ranOutOfMemory
            let verdict = isByHand ? .passing : Self.bySignal[signal] ?? .bug
            self = verdict == .bug && outcome.ranOutOfMemory ? .outOfMemory : verdict
        case .stopped(.cancelled): self = .interrupted
        case .stopped: self = .refused
        case .notStarted: self = .passing
        }
    }

    /// The error to be told: the worker's own where it left one that agrees with how it ended, else one made from the
    /// end.
    func error(of outcome: WorkerOutcome) -> ConversionError {
        if case .notStarted(let error) = outcome.end { return error }
        if case .exited(let status) = outcome.end, let failure = outcome.failure, failure.kind.exitStatus == status {
            return failure
        }
        var error = WorkerEndError.error(for: outcome, verdict: self)
        if let beat = outcome.lastBeat, !beat.stage.isEmpty {
            error.cause = "last seen at \(beat.stage) \(Int(beat.fraction * 100)) % \(beat.detail)"
        }
        return error
    }
}

/// Errors of workers that left none themselves.
enum WorkerEndError {
    static func error(for outcome: WorkerOutcome, verdict: WorkerVerdict) -> ConversionError {
        if verdict == .outOfMemory {
            return ConversionError(
                "worker.out-of-memory", .temporary,
                outcome.ranOutOfMemory
                    ? "the worker ran out of memory"
                    : "the worker was killed from outside, as the kernel does when memory runs out",
                remedy: "Give the workers more memory, run fewer at a time, or exclude the largest layers.")
        }
        switch outcome.end {
        case .exited(let status): return exit(status)
        case .signalled(let signal): return self.signal(signal)
        case .stopped(let reason): return stopped(reason)
        case .notStarted(let error): return error
        }
    }

    private static let report = "Report this with the model; the log beside this file helps."

    private static func exit(_ status: Int32) -> ConversionError {
        if status == 0 {
            return ConversionError(
                "worker.no-result", .internal, "the worker ended without a result", remedy: report)
        }
        return ConversionError(
            "worker.unexpected-exit", ConversionError.Kind(rawValue: status) ?? .internal,
            "the worker ended with status \(status) and left no error", remedy: report)
    }

    private static func signal(_ number: Int32) -> ConversionError {
        switch number {
        case SIGXCPU:
            return ConversionError(
                "worker.cpu-limit", .badInput, "the worker used up its processor time",
                remedy: "Raise the limit of processor time, or exclude the largest layers.")
        case SIGXFSZ:
            return ConversionError(
                "worker.file-size-limit", .badInput, "the worker wrote more than a conversion of this model may",
                remedy: "Raise the limit of the file size if the model is sound.")
        case SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGKILL:
            return ConversionError(
                "worker.terminated", .temporary, "somebody ended the worker by signal \(number)",
                remedy: "Nothing to do: the job is taken up again.")
        default:
            return ConversionError(
                "worker.crashed", .internal, "the worker crashed by signal \(number)", remedy: report)
        }
    }

    private static func stopped(_ reason: StopReason) -> ConversionError {
        switch reason {
        case .noHeartbeat(let limit):
            return ConversionError(
                "worker.no-heartbeat", .internal, "the worker gave no sign of life for \(limit)", remedy: report)
        case .stageDeadline(let stage, let limit):
            return ConversionError(
                "worker.stage-deadline", .badInput,
                "the worker was at \(stage.isEmpty ? "its start" : stage) for longer than \(limit)",
                remedy: "Raise the deadline of the stage, or exclude the largest layers.")
        case .jobDeadline(let limit):
            return ConversionError(
                "worker.job-deadline", .badInput, "the worker took longer than \(limit)",
                remedy: "Raise the time limit, or exclude the largest layers.")
        case .cancelled:
            return ConversionError(
                "worker.cancelled", .temporary, "the daemon ended the worker",
                remedy: "Nothing to do: the job is taken up again, unless it was cancelled.")
        }
    }
}
