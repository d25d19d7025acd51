internal import CLinux
internal import ConverterKit
internal import Glibc

/// Runs a worker and watches over it until it and all of its process group are gone.
public struct WorkerProcess: Sendable {
    public var command: WorkerCommand
    public var folder: JobFolder
    public var deadlines: StageDeadlines
    /// Longest silence on the heartbeat pipe.
    public var heartbeatTimeout: Duration
    /// Between SIGTERM and SIGKILL.
    public var grace: Duration
    /// The worker's memory limit in bytes, to tell a crash for lack of memory from others.
    public var memoryLimit: Int?

    public init(
        command: WorkerCommand, folder: JobFolder, deadlines: StageDeadlines,
        heartbeatTimeout: Duration = .seconds(30), grace: Duration = .seconds(5), memoryLimit: Int? = nil
    ) {
        self.command = command
        self.folder = folder
        self.deadlines = deadlines
        self.heartbeatTimeout = heartbeatTimeout
        self.grace = grace
        self.memoryLimit = memoryLimit
    }

    /// Starts the worker and returns when it has ended, been reaped, and its group has been killed. Cancelling the task
    /// ends the worker: SIGTERM to its group, then SIGKILL.
    ///
    /// Takes one thread for the time of the run.
    /// - Parameter onBeat: receives each heartbeat, on that thread; must not wait.
    public func run(onBeat: @escaping @Sendable (Beat) -> Void = { _ in }) async -> WorkerOutcome {
        let stop = StopFlag()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let started = ServiceThread.start { continuation.resume(returning: supervise(stop, onBeat)) }
                if !started { continuation.resume(returning: WorkerOutcome(end: .notStarted(Self.noThread))) }
            }
        } onCancel: {
            stop.raise()
        }
    }

    private func supervise(_ stop: StopFlag, _ onBeat: @escaping @Sendable (Beat) -> Void) -> WorkerOutcome {
        for stale in [folder.errorFile, folder.resultFile] { unsafe unlink(stale) }
        let kills = OutOfMemoryKills.count
        let worker: SpawnedWorker
        do throws(ConversionError) {
            worker = try SpawnedWorker.start(command, folder: folder)
        } catch {
            return WorkerOutcome(end: .notStarted(error))
        }
        var watch = WorkerWatch(worker: worker, process: self, stop: stop, onBeat: onBeat)
        var outcome = watch.waitForEnd()
        if let before = kills, let now = OutOfMemoryKills.count { outcome.kernelKilled = now > before }
        outcome.failure = folder.failure
        outcome.hasResult = folder.hasResult
        return outcome
    }

    private static let noThread = ConversionError(
        "worker.cannot-start", .temporary, "there is no thread to supervise a worker",
        remedy: "Raise TasksMax of the service, or run fewer workers.")
}

/// A flag that another thread can raise and a poll can wait for.
final class StopFlag: Sendable {
    /// Readable once raised.
    let descriptor = rene_eventfd()

    deinit { close(descriptor) }

    func raise() {
        _ = rene_eventfd_raise(descriptor)
    }
}
