import Glibc
import JobStore
import TestSupport
import Testing

/// What the real daemon does when something goes wrong.
@Suite("Faults", .serialized)
struct FaultTests {
    @Test("a worker that is killed is run again, and its model is converted")
    func workerKilled() throws {
        let root = try WatchedRoot()
        try root.drop("big.onnx", GeneratedModel.slow(seed: 1))
        let daemon = try root.start()
        var workers: [pid_t] = []
        #expect(
            Wait.until {
                workers = WatchedRoot.workers(of: daemon)
                return !workers.isEmpty
            })
        for worker in workers { kill(worker, SIGKILL) }
        #expect(Wait.until(seconds: 60) { root.isPublished("big") }, "\(root.log)")
        #expect(try root.jobs().map(\.attempts) == [2], "\(root.log)")
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test("a daemon that is killed at any moment loses nothing and does nothing twice")
    func daemonKilled() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = GeneratedModel.Numbers(state: seed)
        let root = try WatchedRoot(settings: "attempts: 50\n")
        let names = (0..<30).map { "m\($0)" }
        for (index, name) in names.enumerated() {
            try root.drop(name + ".onnx", GeneratedModel.small(seed: UInt64(index)))
        }
        for _ in 0..<10 {
            let daemon = try root.start()
            usleep(UInt32(100_000 + 500_000 * abs(random.next())))
            daemon.signal(SIGKILL)
            daemon.wait()
        }
        let status = try root.start("--once").wait(seconds: 90)
        #expect(status == 0, "seed \(seed)\n\(root.log.suffix(4000))")
        #expect(try root.integrityProblems() == [], "seed \(seed)")
        for name in names { #expect(root.isPublished(name), "\(name), seed \(seed)") }
        #expect(root.files("outbox").count == 3 * names.count, "seed \(seed): \(root.files("outbox"))")
        #expect(root.files("done") == names.map { $0 + ".onnx" }.sorted(), "seed \(seed)")
        #expect(root.files("failed") == [] && root.files(".work") == [], "seed \(seed)")
        #expect(try root.jobs([.done]).count == names.count, "seed \(seed)")
    }

    @Test("a reload of wrong settings keeps the old ones and says so")
    func reload() throws {
        let root = try WatchedRoot()
        let daemon = try root.start()
        #expect(Wait.until { root.log.contains("watching") })
        try root.write("rene.yaml", "max_eror: 0.1\n")
        daemon.signal(SIGHUP)
        #expect(Wait.until { root.log.contains("the settings stay as they are") }, "\(root.log)")
        try root.write("rene.yaml", "stability_delay: 0.2\nmax_error: 0.3\n")
        daemon.signal(SIGHUP)
        #expect(Wait.until { root.log.contains("setting=max_error") }, "\(root.log)")
        try root.drop("a.onnx", GeneratedModel.small(seed: 5))
        #expect(Wait.until { root.isPublished("a") }, "\(root.log)")
        #expect(Shell.run("cat '\(root.path)/outbox/a.report.json'").output.contains("\"max_error\" : 0.3"))
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test("SIGTERM lets a running conversion finish; a second one ends it, and the job is done at the next start")
    func termination() throws {
        let root = try WatchedRoot()
        try root.drop("one.onnx", GeneratedModel.slow(seed: 1))
        let first = try root.start()
        #expect(Wait.until { !WatchedRoot.workers(of: first).isEmpty })
        first.signal(SIGTERM)
        #expect(first.wait() == 0)
        #expect(root.isPublished("one"), "\(root.log)")

        try root.drop("two.onnx", GeneratedModel.slow(seed: 2, side: 3000))
        let second = try root.start()
        #expect(Wait.until { !WatchedRoot.workers(of: second).isEmpty })
        second.signal(SIGTERM)
        usleep(200_000)
        second.signal(SIGTERM)
        #expect(second.wait(seconds: 60) == 0, "\(root.log)")
        #expect(!root.isPublished("two"))
        #expect(try root.jobs([.queued]).map(\.attempts) == [0])
    }

    @Test("a cancelled job's worker ends, and its source is in failed")
    func cancellation() throws {
        let root = try WatchedRoot()
        try root.drop("one.onnx", GeneratedModel.slow(seed: 1, side: 3000))
        let daemon = try root.start()
        #expect(Wait.until { !WatchedRoot.workers(of: daemon).isEmpty })
        #expect(Program.run("jobs cancel 1 --root '\(root.path)'").status == 0)
        #expect(Wait.until { root.has("failed/one/error.json") }, "\(root.log)")
        #expect(try root.jobs().map(\.state) == [.cancelled])
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test("a job that is cancelled while it waits is settled by the running daemon")
    func waitingCancellation() throws {
        let root = try WatchedRoot(settings: "workers: 1\n")
        let daemon = try root.start()
        #expect(Wait.until { root.log.contains("watching") })
        try root.drop("one.onnx", GeneratedModel.slow(seed: 1, side: 3000))
        #expect(Wait.until { !WatchedRoot.workers(of: daemon).isEmpty })
        try root.drop("two.onnx", GeneratedModel.small(seed: 2))
        #expect(try Wait.until { try root.jobs([.queued]).count == 1 })
        #expect(Program.run("jobs cancel 2 --root '\(root.path)'").status == 0)
        #expect(Wait.until(seconds: 60) { root.has("failed/two/two.onnx") }, "\(root.log)")
        #expect(Program.run("jobs cancel 1 --root '\(root.path)'").status == 0)
        #expect(Program.run("jobs retry 2 --root '\(root.path)'").status == 0)
        #expect(Wait.until { root.isPublished("two") && root.has("done/two.onnx") }, "\(root.log)")
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test("a second daemon on the same folder is refused")
    func secondDaemon() throws {
        let root = try WatchedRoot()
        let daemon = try root.start()
        #expect(Wait.until { root.log.contains("watching") })
        let second = try root.start()
        #expect(second.wait(seconds: 60) ?? 0 > 0)
        #expect(root.log.contains("store.locked"))
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test(
        "jobs wait on a full disk and go on when there is room",
        .enabled(
            if: Shell.run("d=$(mktemp -d) && mount -t tmpfs x $d && umount $d && rmdir $d 2>/dev/null").status == 0))
    func fullDisk() throws {
        let disk = try TemporaryFolder()
        #expect(Shell.run("mount -t tmpfs -o size=16m rene-test '\(disk.path)'").status == 0)
        defer { _ = Shell.run("umount -l '\(disk.path)'") }
        let root = try WatchedRoot(at: disk.path + "/root")
        let daemon = try root.start()
        #expect(Wait.until { root.log.contains("watching") })
        try root.stage("model", GeneratedModel.small(seed: 1))
        _ = Shell.run("dd if=/dev/zero of='\(disk.path)/filler' bs=4k status=none 2>/dev/null")
        rename(root.path + "/staging/model", root.path + "/inbox/a.onnx")
        #expect(Wait.until { root.log.contains("no-space") || root.log.contains("disk-full") }, "\(root.log)")
        usleep(500_000)
        #expect(!root.has("outbox/a.onnx") && root.files("failed").isEmpty, "\(root.log)")
        unlink(disk.path + "/filler")
        #expect(Wait.until(seconds: 60) { root.isPublished("a") && root.has("done/a.onnx") }, "\(root.log)")
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test("the service manager is told of readiness, status, watchdog and stop")
    func notification() throws {
        let root = try WatchedRoot()
        let socket = try #require(NotificationSocket(name: root.path + "/notify"))
        let daemon = try root.start(
            environment: ["NOTIFY_SOCKET=\(root.path)/notify", "WATCHDOG_USEC=1000000"])
        var seen = ""
        func told(_ text: String) -> Bool {
            Wait.until(seconds: 60) {
                while let message = socket.next() { seen += message + "\n" }
                return seen.contains(text)
            }
        }
        #expect(told("READY=1"), "\(seen)")
        #expect(told("STATUS=0 queued"), "\(seen)")
        #expect(told("WATCHDOG=1"), "\(seen)")
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
        #expect(told("STOPPING=1"), "\(seen)")
    }
}
