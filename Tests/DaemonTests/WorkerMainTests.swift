import ConverterKit
import Daemon
import Glibc
import TestSupport
import Testing

/// The worker's own side, in a real process.
@Suite("A worker's limits and reports")
struct WorkerMainTests {
    struct Settings: Codable, Sendable {
        var behaviour: String
        var amount = 0
    }

    struct Result: Codable, Sendable {
        var memoryLimit: Int
        var isGroupLeader: Bool
        var adjustment: String
        var descriptors: [Int32]
    }

    static let program = BuildFolder.path + "/misbehaving-worker"

    /// Runs the behaviour with the limits; the temporary folder is gone when this returns.
    private func run(
        _ behaviour: String, _ amount: Int = 0, limits: WorkerLimits = WorkerLimits(), supervisor: Int32? = getpid(),
        heartbeat: Duration = .seconds(20), stage: Duration = .seconds(60)
    ) async throws -> (WorkerOutcome, Result?) {
        let temporary = try TemporaryFolder()
        let folder = JobFolder(path: temporary.path)
        try folder.write(
            WorkerJob(
                source: "model.onnx", output: folder.output, settings: Settings(behaviour: behaviour, amount: amount),
                limits: limits, supervisor: supervisor))
        let process = WorkerProcess(
            command: WorkerCommand(
                executable: Self.program, arguments: [folder.jobFile],
                environment: WorkerCommand.worker(jobFile: folder.jobFile, threads: 1).environment),
            folder: folder, deadlines: StageDeadlines(other: stage), heartbeatTimeout: heartbeat,
            grace: .milliseconds(300), memoryLimit: limits.memory)
        let outcome = await process.run()
        return (outcome, folder.result(as: Result.self))
    }

    private func disposition(_ outcome: WorkerOutcome, _ plan: MemoryPlan = .normal) -> Disposition {
        RetryPolicy().disposition(of: outcome, history: AttemptHistory(attempts: 1, plan: plan))
    }

    @Test("a job that succeeds leaves its result, and ran confined")
    func success() async throws {
        let (outcome, result) = try await run("succeed", limits: WorkerLimits(memory: 3 << 30, cpuSeconds: 60))
        #expect(outcome.end == .exited(0))
        #expect(outcome.hasResult)
        #expect(disposition(outcome) == .done)
        #expect(result?.memoryLimit == 3 << 30)
        #expect(result?.isGroupLeader == true)
        #expect(result?.adjustment == "500")
        #expect(result?.descriptors.prefix(4) == [0, 1, 2, 3])
    }

    @Test("an error arrives whole: code, kind, message, remedy, site, cause")
    func refusal() async throws {
        let (outcome, _) = try await run("refuse")
        #expect(outcome.end == .exited(65))
        let expected = ConversionError(
            "onnx.bad-shape", .badInput, "the shape of \"w\"\nis wrong", remedy: "Export the model again.",
            site: .init(file: "model.onnx", node: "conv1", offset: 42), cause: "dims = [-1]")
        #expect(outcome.failure == expected)
        #expect(disposition(outcome) == .quarantine(expected, isBug: false))
    }

    @Test("a trap is a bug and no lack of memory")
    func trap() async throws {
        let (outcome, _) = try await run("trap", 1, limits: WorkerLimits(memory: 2 << 30))
        guard case .quarantine(let error, isBug: true) = disposition(outcome) else {
            Issue.record("a trap became \(disposition(outcome)) after \(outcome)")
            return
        }
        #expect(error.code == "worker.crashed")
    }

    @Test("what the memory limit refuses is tried once more with less, and then given up")
    func memory() async throws {
        let (outcome, _) = try await run("allocate", 1000, limits: WorkerLimits(memory: 512 << 20))
        #expect(outcome.ranOutOfMemory, "\(outcome)")
        guard case .retry(let error, _, plan: .lower, countsAttempt: true) = disposition(outcome) else {
            Issue.record("a lack of memory became \(disposition(outcome)) after \(outcome)")
            return
        }
        #expect(error.code == "worker.out-of-memory")
        guard case .quarantine(let last, isBug: false) = disposition(outcome, .lower) else {
            Issue.record("a second lack of memory became \(disposition(outcome, .lower))")
            return
        }
        #expect(last.code == "worker.out-of-memory")
        #expect(outcome.usage.residentBytes < 600 << 20)
    }

    @Test("what fits the memory limit is not refused")
    func enoughMemory() async throws {
        let (outcome, _) = try await run("allocate", 10, limits: WorkerLimits(memory: 512 << 20))
        #expect(outcome.end == .exited(0))
    }

    @Test("processor time is limited")
    func processorTime() async throws {
        let (outcome, _) = try await run("spin", limits: WorkerLimits(cpuSeconds: 1))
        #expect(outcome.end == .signalled(SIGXCPU))
        #expect(outcome.usage.processorSeconds > 0.5)
    }

    @Test("the size of files is limited")
    func fileSize() async throws {
        let (outcome, _) = try await run("write", 1000, limits: WorkerLimits(fileBytes: 1 << 20))
        #expect(outcome.end == .signalled(SIGXFSZ))
    }

    @Test("heartbeats go on while the conversion works on one thing, and the stage's deadline ends it")
    func hang() async throws {
        let limit = Duration.seconds(3)
        let (outcome, _) = try await run("sleep", 60, heartbeat: .seconds(2), stage: limit)
        #expect(outcome.end == .stopped(.stageDeadline(stage: "factorizing", limit)))
        #expect(outcome.lastBeat?.detail == "conv1")
    }

    @Test("a conversion that reports without end sends few lines, each of which can be read")
    func chatter() async throws {
        let (outcome, _) = try await run("chatter", 500)
        #expect(outcome.end == .exited(0))
        #expect(outcome.lastBeat?.stage == "searching")
    }

    @Test("a worker whose daemon is another process does not begin")
    func orphan() async throws {
        let (outcome, _) = try await run("succeed", supervisor: 1)
        #expect(outcome.failure?.code == "worker.orphaned")
        #expect(outcome.end == .exited(75))
    }

    @Test("a worker dies with its daemon, even by SIGKILL")
    func parentDeath() async throws {
        let temporary = try TemporaryFolder()
        let folder = JobFolder(path: temporary.path)
        // A shell plays the daemon: it starts the worker, tells its number and is killed.
        let script = """
            printf '{"format":1,"source":"m","output":"o","settings":{"behaviour":"sleep","amount":60},"limits":{},\
            "supervisor":%d}' $$ > '\(folder.jobFile)'
            '\(Self.program)' '\(folder.jobFile)' &
            echo $! > '\(temporary.path)/pid'
            sleep 1
            kill -KILL $$
            """
        try temporary.write("daemon.sh", Array(script.utf8))
        _ = Shell.run("sh '\(temporary.path)/daemon.sh' 2>/dev/null")
        let text = String(decoding: try temporary.read("pid"), as: UTF8.self)
        let worker = try #require(Int32(text.filter(\.isNumber)))
        #expect(await eventually { !isRunning(worker) })
        #expect(!temporary.entries.contains("error.json"))
    }

    @Test("a job file of another format is refused")
    func format() async throws {
        let temporary = try TemporaryFolder()
        let file = try temporary.write("job.json", Array("{\"format\":99}".utf8))
        let (_, status) = Shell.run("'\(Self.program)' '\(file)'")
        #expect(status == 70)
        #expect(JobFolder(path: temporary.path).failure?.code == "worker.job-format")
    }
}
