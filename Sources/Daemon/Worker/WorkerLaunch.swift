internal import Conversion
internal import ConverterKit
internal import Glibc
internal import Settings

/// Everything that is decided before a worker is started.
struct WorkerLaunch: Sendable {
    var settings: DaemonSettings
    var plan: WorkerPlan
    /// Further arguments of `rene worker`: where plugins are.
    var extraArguments: [String]

    /// The machine shared as the settings say.
    static func plan(of settings: DaemonSettings, jobs: Int? = nil) -> WorkerPlan {
        WorkerPlan(machine: .detect(), workers: jobs ?? settings.workers, threads: settings.threads)
    }

    /// Runs `job` in `folder`, which is there, and waits for its end.
    /// - Parameter modelBytes: of the model with its data files.
    func run(
        _ job: ModelJob, source: String, folder: JobFolder, modelBytes: Int, memory: MemoryPlan = .normal,
        onBeat: @escaping @Sendable (Beat) -> Void = { _ in }
    ) async -> WorkerOutcome {
        let allotment = plan.allotment(modelBytes: modelBytes, plan: memory, limit: settings.workerMemoryLimit)
        var job = job
        job.conversion.threads = min(job.conversion.threads, allotment.threads)
        job.conversion.memoryLimit = job.conversion.memoryLimit ?? allotment.layerMemory
        let deadlines = deadlines(modelBytes: modelBytes)
        let task = WorkerJob(
            source: source, output: folder.output, settings: job,
            limits: WorkerLimits(
                memory: allotment.limit, cpuSeconds: cpuSeconds(deadlines, threads: allotment.threads),
                fileBytes: 4 * modelBytes + (1 << 30)),
            supervisor: getpid())
        let arguments = extraArguments
        let heartbeat = Duration.seconds(settings.heartbeatTimeout)
        do throws(ConversionError) {
            try await Blocking.run { () throws(ConversionError) in try folder.write(task) }
        } catch {
            return WorkerOutcome(end: .notStarted(error))
        }
        return await WorkerProcess(
            command: .worker(
                jobFile: folder.jobFile, threads: allotment.threads, extraArguments: arguments),
            folder: folder, deadlines: deadlines, heartbeatTimeout: heartbeat, memoryLimit: allotment.limit
        ).run(onBeat: onBeat)
    }

    /// What the settings say of a stage; for stages that they do not name the longer of their default and of what the
    /// size of the model asks for.
    private func deadlines(modelBytes: Int) -> StageDeadlines {
        var deadlines = StageDeadlines.standard(modelBytes: modelBytes)
        let floor = settings.stageDeadlines["default"].map { Duration.seconds($0) } ?? .zero
        deadlines.other = max(deadlines.other, floor)
        deadlines.stages = deadlines.stages.mapValues { max($0, floor) }
        for (stage, seconds) in settings.stageDeadlines where stage != "default" {
            deadlines.stages[stage] = .seconds(seconds)
        }
        return deadlines
    }

    /// More than all stages together can take.
    private func cpuSeconds(_ deadlines: StageDeadlines, threads: Int) -> Int {
        let all = Progress.Stage.allCases.reduce(Duration.zero) { $0 + deadlines.limit(of: $1.rawValue) }
        return Int(all / .seconds(1)) * threads + 60
    }

    var retryPolicy: RetryPolicy {
        var policy = RetryPolicy()
        policy.maxAttempts = settings.attempts
        policy.firstDelay = .seconds(settings.retryDelay)
        policy.longestDelay = .seconds(settings.retryDelayLimit)
        return policy
    }
}
