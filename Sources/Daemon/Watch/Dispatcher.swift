internal import ConverterKit
internal import JobStore
internal import Logging
internal import ServiceLifecycle
internal import Settings
internal import Synchronization
internal import WatchFolder

/// Takes jobs from the queue and runs as many at a time as the machine allows.
final class Dispatcher: Service {
    private struct State {
        var admission: WorkerAdmission
        /// Ends a running job's worker.
        var stops: [JobID: AsyncStream<Void>.Continuation] = [:]
        /// Jobs that ran out of memory get another plan at their next run.
        var plans: [JobID: MemoryPlan] = [:]
        /// Since when nothing new is started.
        var drainStart: ContinuousClock.Instant?
        /// Why the daemon has to end: its rows no longer say what it does. The next start brings them into agreement.
        var fatal: StoreError?
    }

    private let context: DaemonContext
    private let settlement: Settlement
    private let state: Mutex<State>
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    init(context: DaemonContext) {
        self.context = context
        settlement = Settlement(context: context)
        state = Mutex(State(admission: WorkerAdmission(plan: WorkerLaunch.plan(of: context.settings))))
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var runningCount: Int { state.withLock { $0.admission.count } }

    /// The queue may have changed.
    func poke() { wake.yield() }

    /// To be called often: looks at the queue and at the time that running conversions are given to finish.
    func turn() {
        let isOver = state.withLock { $0.drainStart.map { .now - $0 > Self.drainLimit } ?? false }
        if isOver { stopWorkers() }
        poke()
    }

    /// Less than the service manager waits (TimeoutStopSec of rene.service), so that jobs are put back in an orderly way.
    private static let drainLimit: Duration = .seconds(75)

    /// The settings have changed.
    func reload() {
        let plan = WorkerLaunch.plan(of: context.settings)
        state.withLock { $0.admission.plan = plan }
        poke()
    }

    /// Ends all workers now; their jobs stay queued.
    func stopWorkers() {
        for stop in state.withLock({ $0.stops.values.map { $0 } }) { stop.yield() }
    }

    /// Ends a job's worker, if it runs.
    func stop(_ id: JobID) { state.withLock { $0.stops[id] }?.yield() }

    func run() async throws {
        wake.yield()
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for await _ in wakes {
                    context.activity.change { $0.lastTurn = .now }
                    while !Task.isCancelled, let job = await next() {
                        group.addTask { await self.process(job) }
                    }
                    if state.withLock({ $0.fatal != nil }) { group.cancelAll() }
                }
            }
        } onGracefulShutdown: {
            self.state.withLock { $0.drainStart = .now }
            self.wake.finish()
        }
        if let fatal = state.withLock({ $0.fatal }) { throw fatal }
    }

    /// The next job that fits beside those that run, counted in the admission.
    private func next() async -> Job? {
        while true {
            let (plan, isFull) = state.withLock {
                (
                    $0.admission.plan,
                    $0.drainStart != nil || $0.fatal != nil || $0.admission.count >= $0.admission.plan.workers
                )
            }
            if isFull { return nil }
            let attempts = context.settings.attempts
            do {
                let claimed = try await context.persist { store throws(StoreError) in
                    try store.claimNext(attemptLimit: attempts)
                }
                switch claimed {
                case .none: return nil
                case .exhausted(let job):
                    context.activity.change { $0.failures += 1 }
                    await settle(job.id)
                case .job(let job):
                    let bytes = bytes(of: job)
                    let memory = state.withLock { $0.plans[job.id] ?? .normal }
                    let need = plan.allotment(modelBytes: bytes, plan: memory).need
                    if state.withLock({ $0.admission.admit(job.id.number, need: need) }) { return job }
                    // Its turn comes when those that run have ended; smaller ones do not overtake it for ever.
                    try await context.persist { store throws(StoreError) in
                        try store.requeue(job.id, because: "waits for memory", countingAttempt: false)
                    }
                    return nil
                }
            } catch {
                if !(error is CancellationError) {
                    context.logger.error("the queue cannot be read", metadata: ["error": "\(error)"])
                }
                return nil
            }
        }
    }

    private func bytes(of job: Job) -> Int {
        guard let name = JobClaim.name(job.location), let claim = try? context.claimer.claim(of: name) else { return 0 }
        return claim.modelBytes
    }

    private func process(_ job: Job) async {
        do {
            try await run(job)
        } catch is CancellationError {
            // The row says where recovery goes on.
        } catch let error as StoreError {
            context.logger.critical("the job store failed", metadata: ["job": "\(job.id)", "error": "\(error)"])
            state.withLock { $0.fatal = $0.fatal ?? error }
            release(job.id)
            wake.yield()
            return wake.finish()
        } catch {
            await failUnexpectedly(job, error)
        }
        release(job.id)
        await settle(job.id)
        poke()
    }

    /// Files that cannot be brought to where a run wants them: another run would meet the same.
    private func failUnexpectedly(_ job: Job, _ error: any Error) async {
        let told =
            (error as? ConversionError) ?? (error as? WatchError).map { ConversionError($0) }
            ?? ConversionError("job.unexpected", .internal, "\(error)", remedy: "Report this with the daemon's log.")
        do {
            try await fail(job, told, isBug: told.kind == .internal)
        } catch {
            context.logger.error("a job is stuck", metadata: ["job": "\(job.id)", "error": "\(error)"])
        }
    }

    private func release(_ id: JobID) {
        state.withLock { state in
            state.admission.release(id.number)
            state.stops[id] = nil
        }
        context.activity.change { $0.running[id] = nil }
    }

    /// Brings the files of a job that has ended to their place.
    func settle(_ id: JobID) async {
        do {
            try await settlement.settle(id)
        } catch {
            context.logger.error(
                "the source of a job stays in its folder until the next start",
                metadata: ["job": "\(id)", "error": "\(error)"])
        }
    }

    private func run(_ job: Job) async throws {
        let claim = try await JobRestoration(context: context).claim(of: job)
        guard let claim else {
            return try await fail(
                job,
                ConversionError(
                    "job.source-missing", .missingInput, "the files of the job are gone",
                    remedy: "Put the model into the inbox again."), isBug: false)
        }
        let (plan, memory) = state.withLock { ($0.admission.plan, $0.plans[job.id] ?? .normal) }
        let run = JobRun(
            context: context, job: job, claim: claim, launch: context.launch(plan: plan), memory: memory)
        context.logger.info("started", metadata: ["job": "\(job.id)", "model": "\(job.path)"])
        context.activity.change { $0.running[job.id] = (claim.model.description, Beat()) }
        let (outcome, disposition) = await stoppable(job.id) { await run.work() }
        try await apply(disposition, outcome, to: run)
    }

    /// Runs `body` in a task that `stop` cancels.
    private func stoppable<Result: Sendable>(
        _ id: JobID, _ body: @escaping @Sendable () async -> Result
    ) async -> Result {
        let (stops, stop) = AsyncStream.makeStream(of: Void.self)
        state.withLock { $0.stops[id] = stop }
        return await withTaskGroup(of: Result?.self) { group in
            group.addTask { await body() }
            group.addTask {
                for await _ in stops { break }
                return nil
            }
            var result: Result?
            for await value in group {
                group.cancelAll()
                result = value ?? result
            }
            // Only the second task has no result, and both have ended.
            return if let result { result } else { await body() }
        }
    }

    private func apply(_ disposition: Disposition, _ outcome: WorkerOutcome, to run: JobRun) async throws {
        let job = run.job
        switch disposition {
        case .done:
            do {
                try await run.publish()
                context.logger.info(
                    "done",
                    metadata: [
                        "job": "\(job.id)", "model": "\(job.path)", "seconds": "\(outcome.usage.seconds)",
                        "memory": "\(outcome.usage.residentBytes)",
                    ])
            } catch let error as ConversionError {
                let failed = WorkerOutcome(end: .exited(error.kind.exitStatus), failure: error)
                let history = AttemptHistory(attempts: job.attempts, plan: run.memory)
                try await apply(run.launch.retryPolicy.disposition(of: failed, history: history), failed, to: run)
            } catch let error as WatchError {
                let failed = WorkerOutcome(end: .notStarted(ConversionError(error)))
                let history = AttemptHistory(attempts: job.attempts, plan: run.memory)
                try await apply(run.launch.retryPolicy.disposition(of: failed, history: history), failed, to: run)
            } catch let error as StoreError where error.isTemporary {
                // The row could not be changed to `publishing`: nothing has a final name.
                try await requeue(job.id, "the job store had no room", counting: false)
            }
        case .retry(let error, let delay, let plan, let counts):
            state.withLock { $0.plans[job.id] = plan }
            context.logger.warning(
                "will be tried again",
                metadata: ["job": "\(job.id)", "model": "\(job.path)", "error": "\(error)", "after": "\(delay)"])
            let time = Timestamp.now.adding(seconds: delay / .seconds(1))
            let failure = JobFailure(error)
            try await context.persist { store throws(StoreError) in
                try store.retryLater(job.id, at: time, because: failure, countingAttempt: counts)
            }
        case .quarantine(let error, let isBug): try await fail(job, error, isBug: isBug)
        case .interrupted:
            let wish = try await context.persist { store throws(StoreError) in
                try store.show(job.id).cancellationRequested
            }
            if wish {
                try await context.persist { store throws(StoreError) in try store.confirmCancellation(job.id) }
                context.logger.notice("cancelled", metadata: ["job": "\(job.id)", "model": "\(job.path)"])
            } else {
                try await requeue(job.id, "the daemon stopped", counting: false)
            }
        }
    }

    private func requeue(_ id: JobID, _ reason: String, counting: Bool) async throws {
        try await context.persist { store throws(StoreError) in
            try store.requeue(id, because: reason, countingAttempt: counting)
        }
    }

    private func fail(_ job: Job, _ error: ConversionError, isBug: Bool) async throws {
        context.activity.change { $0.failures += 1 }
        context.logger.error(
            isBug ? "failed by a fault of this program" : "failed",
            metadata: ["job": "\(job.id)", "model": "\(job.path)", "error": "\(error)"])
        let failure = JobFailure(error)
        try await context.persist { store throws(StoreError) in try store.fail(job.id, failure) }
    }
}
