import ConverterKit
import Daemon
import Glibc
import Synchronization
import TestSupport
import Testing

/// Shell scripts play the worker: what the supervisor sees of a process, whatever it is.
@Suite("Supervision of a worker")
struct WorkerProcessTests {
    @Test("an exit status arrives as it is", arguments: [0, 1, 65, 66, 70, 75, 78, 255] as [Int32])
    func exitStatus(status: Int32) async throws {
        let outcome = try await ShellWorker().run("exit \(status)")
        #expect(outcome.end == .exited(status))
    }

    @Test(
        "a signal that somebody else sent arrives as it is", arguments: [SIGSEGV, SIGABRT, SIGKILL, SIGTERM, SIGXCPU])
    func signal(number: Int32) async throws {
        let outcome = try await ShellWorker().run("kill -\(number) $$")
        #expect(outcome.end == .signalled(number))
    }

    @Test("heartbeats arrive in their order, and what is none is passed over")
    func heartbeats() async throws {
        let seen = Mutex<[Beat]>([])
        let script = """
            echo '{"detail":"a","fraction":0.25,"memory":7,"stage":"reading"}' >&3
            echo 'nonsense' >&3
            printf '{"detail":"' >&3; head -c 100000 /dev/zero | tr '\\0' 'x' >&3; echo '"}' >&3
            echo '{"detail":"b","fraction":7,"memory":8,"stage":"searching"}' >&3
            """
        let worker = try ShellWorker()
        let outcome = await worker.process(script).run { beat in seen.withLock { $0.append(beat) } }
        #expect(outcome.end == .exited(0))
        #expect(
            seen.withLock { $0 } == [
                Beat(stage: "reading", fraction: 0.25, detail: "a", memory: 7),
                Beat(stage: "searching", fraction: 1, detail: "b", memory: 8),
            ])
        #expect(outcome.lastBeat?.stage == "searching")
    }

    @Test(
        "a worker without heartbeats is ended, whether it sleeps, is stopped or ignores SIGTERM",
        arguments: [
            "exec sleep 60", "kill -STOP $$; exec sleep 60", "trap '' TERM; while :; do sleep 60; done",
        ])
    func silence(script: String) async throws {
        let limit = Duration.milliseconds(400)
        let outcome = try await ShellWorker().run(script, heartbeat: limit)
        #expect(outcome.end == .stopped(.noHeartbeat(limit)))
        #expect(outcome.usage.seconds < 10)
    }

    @Test("heartbeats do not keep a worker alive beyond the deadline of its stage, and a new stage begins anew")
    func stageDeadline() async throws {
        let script = """
            beat() { echo '{"detail":"","fraction":0,"memory":0,"stage":"'$1'"}' >&3; }
            for i in 1 2 3 4 5 6; do beat reading; sleep 0.1; done
            for i in 1 2 3 4 5 6; do beat mapping; sleep 0.1; done
            while :; do beat searching; sleep 0.1; done
            """
        let limit = Duration.milliseconds(1000)
        let outcome = try await ShellWorker().run(script, heartbeat: .milliseconds(900), stage: limit)
        #expect(outcome.end == .stopped(.stageDeadline(stage: "searching", limit)))
    }

    @Test("the deadline of the whole job holds over all stages")
    func jobDeadline() async throws {
        let script =
            "while :; do echo '{\"detail\":\"\",\"fraction\":0,\"memory\":0,\"stage\":\"'$i'\"}' >&3; i=a$i; sleep 0.05; done"
        let limit = Duration.milliseconds(500)
        let outcome = try await ShellWorker().run(script, job: limit)
        #expect(outcome.end == .stopped(.jobDeadline(limit)))
    }

    @Test("a worker that ends cleanly on SIGTERM has done its work")
    func graceful() async throws {
        let outcome = try await ShellWorker().run(
            "trap 'exit 0' TERM; while :; do sleep 0.05; done", heartbeat: .milliseconds(300))
        #expect(outcome.end == .exited(0))
    }

    @Test("cancelling the task ends the worker")
    func cancellation() async throws {
        let worker = try ShellWorker()
        let process = worker.process("echo $$ > $JOB/pid; exec sleep 60")
        let task = Task { await process.run() }
        #expect(await eventually { !worker.processes("pid").isEmpty })
        task.cancel()
        #expect(await task.value.end == .stopped(.cancelled))
        #expect(!isRunning(try #require(worker.processes("pid").first)))
    }

    @Test("nothing of the group is left behind", arguments: ["exit 0", "kill -KILL $$", "wait"])
    func group(end: String) async throws {
        let worker = try ShellWorker()
        let script = """
            (trap '' TERM; echo $$ >> $JOB/pids; sleep 60 & echo $! >> $JOB/pids; wait) &
            echo $! >> $JOB/pids
            while [ "$(wc -l < $JOB/pids)" -lt 3 ]; do sleep 0.01; done
            \(end)
            """
        _ = await worker.run(script, heartbeat: .milliseconds(800))
        let processes = worker.processes("pids")
        #expect(processes.count >= 3)
        for process in processes { #expect(await eventually { !isRunning(process) }, "\(process) still runs") }
    }

    @Test("a program that cannot be started is told, and leaves no descriptor open")
    func notStarted() async throws {
        let worker = try ShellWorker()
        let command = WorkerCommand(executable: "/nonexistent/program", arguments: [], environment: [])
        let process = WorkerProcess(command: command, folder: worker.folder, deadlines: .init(other: .seconds(5)))
        for _ in 0..<50 {
            guard case .notStarted(let error) = await process.run().end else {
                Issue.record("a program that does not exist was started")
                return
            }
            #expect(error.code == "worker.cannot-start")
            #expect(error.kind == .temporary)
        }
    }

    @Test("the worker gets no descriptor but its four, and its prints go to the log")
    func descriptors() async throws {
        let worker = try ShellWorker()
        let leaked = unsafe open("/dev/null", O_RDONLY)
        defer { close(leaked) }
        let outcome = await worker.run("ls /proc/$$/fd; echo to-error >&2; read x || echo end-of-input")
        #expect(outcome.end == .exited(0))
        // The shell opens a descriptor above ten for itself in some builds; what the parent held must not appear.
        #expect(worker.text("log.txt").split(separator: "\n") == ["0", "1", "2", "3", "to-error", "end-of-input"])
    }

    @Test("a result or an error of an earlier run is not taken for this one's")
    func staleFiles() async throws {
        let worker = try ShellWorker()
        try worker.temporary.write("result.json", Array("{}".utf8))
        let outcome = await worker.run("exit 0")
        #expect(!outcome.hasResult)
    }

    @Test(
        "files that a worker left are read only if they are regular and small",
        arguments: [
            "ln -s /etc/passwd $JOB/error.json", "mkfifo $JOB/error.json", "mkdir $JOB/error.json",
            "head -c 3000000 /dev/zero > $JOB/error.json", "echo '{' > $JOB/error.json",
            #"echo '{"code":"Not A Code","status":65,"message":"","remedy":"","site":{}}' > $JOB/error.json"#,
            #"echo '{"code":"a.b","status":7,"message":"","remedy":"","site":{}}' > $JOB/error.json"#,
        ])
    func hostileError(script: String) async throws {
        let outcome = try await ShellWorker().run(script + "; exit 65")
        #expect(outcome.end == .exited(65))
        #expect(outcome.failure == nil)
    }

    @Test("a hundred workers leave no descriptor behind")
    func descriptorsAreClosed() async throws {
        let worker = try ShellWorker()
        _ = await worker.run("exit 0")
        for index in 0..<100 {
            let outcome = await worker.run("exit \(index % 7)")
            #expect(outcome.end == .exited(Int32(index % 7)))
        }
        // Other tests run beside this one; a leak of one descriptor a worker would be far above what they hold.
        #expect((0..<4096).filter { fcntl(Int32($0), F_GETFD) >= 0 }.count < 90)
    }
}
