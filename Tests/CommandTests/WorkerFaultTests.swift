import Glibc
import JobStore
import TestSupport
import Testing

/// Workers of the real daemon that go wrong.
@Suite("Faults of workers", .serialized)
struct WorkerFaultTests {
    /// Drops a model that takes long, does `harm` to its worker, and waits until it has failed while another model is
    /// converted. Returns the code of the failure.
    private func failure(settings: String, harm: (pid_t) -> Void) throws -> String? {
        let root = try WatchedRoot(settings: "workers: 2\n" + settings)
        let daemon = try root.start()
        #expect(Wait.until { root.log.contains("watching") })
        try root.drop("bad.onnx", GeneratedModel.slow(seed: 1, side: 4000))
        var workers: [pid_t] = []
        #expect(
            Wait.until {
                workers = WatchedRoot.workers(of: daemon)
                return !workers.isEmpty
            }, "\(root.log)")
        for worker in workers { harm(worker) }
        try root.drop("good.onnx", GeneratedModel.small(seed: 2))
        #expect(Wait.until { root.isPublished("good") && root.has("done/good.onnx") }, "\(root.log)")
        #expect(Wait.until { root.has("failed/bad/error.json") }, "\(root.log)")
        #expect(root.files("failed").contains("bad/bad.onnx"))
        #expect(root.files("outbox").count == 3, "\(root.files("outbox"))")
        let code = try root.jobs([.failed]).first?.failure?.code
        #expect(WatchedRoot.workers(of: daemon).isEmpty)
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
        return code
    }

    @Test("a worker that crashes takes its job to failed and nothing else")
    func crash() throws {
        #expect(try failure(settings: "") { kill($0, SIGSEGV) } == "worker.crashed")
    }

    @Test("a worker that is stopped is ended when its heartbeat fails to come")
    func stopped() throws {
        #expect(try failure(settings: "heartbeat_timeout: 1\n") { kill($0, SIGSTOP) } == "worker.no-heartbeat")
    }

    @Test("a worker that takes too long at a stage is ended")
    func slow() throws {
        #expect(try failure(settings: "stage_deadlines: {analysing: 0.2}\n") { _ in } == "worker.stage-deadline")
    }

    @Test("a worker that needs more memory than it may is tried with less and given up, before it harms the machine")
    func memory() throws {
        #expect(
            try failure(settings: "worker_memory_limit: 200M\nmemory_limit: 8G\n") { _ in } == "worker.out-of-memory")
    }

    @Test("a layer that the workers' memory cannot hold stays as it is, and the report says why")
    func memoryLimit() throws {
        let root = try WatchedRoot(settings: "worker_memory_limit: 400M\n")
        try root.drop("a.onnx", GeneratedModel.slow(seed: 1, side: 4000))
        #expect(try root.start("--once").wait() == 0, "\(root.log)")
        #expect(Shell.run("cat '\(root.path)/outbox/a.report.json'").output.contains("\"memory-limit\""))
    }

    @Test("a worker that is killed by hand again and again is tried as often as the settings say")
    func killedAgain() throws {
        let root = try WatchedRoot(settings: "attempts: 3\n")
        let daemon = try root.start()
        #expect(Wait.until { root.log.contains("watching") })
        try root.drop("bad.onnx", GeneratedModel.slow(seed: 1, side: 4000))
        #expect(
            Wait.until {
                for worker in WatchedRoot.workers(of: daemon) { kill(worker, SIGKILL) }
                return root.has("failed/bad/error.json")
            }, "\(root.log)")
        let job = try #require(try root.jobs([.failed]).first)
        #expect(job.failure?.code == "worker.terminated" && job.attempts == 3, "\(root.log)")
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }
}
