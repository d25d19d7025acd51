import Glibc
import TestSupport
import Testing

/// The ways in which models come into an inbox, with the real program.
@Suite("Dropping models", .serialized)
struct DroppingTests {
    @Test("a model that is copied, moved, written slowly or brought by rsync is converted exactly once")
    func waysIn() throws {
        let root = try WatchedRoot()
        let daemon = try root.start()
        #expect(Wait.until { root.log.contains("watching") })
        for (index, name) in ["cp", "mv", "slow", "rsync"].enumerated() {
            try root.stage(name, GeneratedModel.small(seed: UInt64(index)))
        }
        _ = Shell.run(
            """
            cd '\(root.path)' && cp staging/cp inbox/cp.onnx && mv staging/mv inbox/mv.onnx
            cp staging/rsync inbox/.rsync.onnx.Ab3dEf && sleep 0.5 && mv inbox/.rsync.onnx.Ab3dEf inbox/rsync.onnx
            for i in 0 1 2 3 4 5 6 7; do
                dd if=staging/slow bs=1000 skip=$i count=1 status=none; sleep 0.2
            done > inbox/slow.onnx
            """)
        #expect(Wait.until { ["cp", "mv", "slow", "rsync"].allSatisfy { root.isPublished($0) } }, "\(root.log)")
        #expect(Wait.until { root.files("done").count == 4 })
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0, "\(root.log)")
        #expect(try root.jobs().map(\.state) == [.done, .done, .done, .done])
        #expect(root.files("failed") == [] && root.files(".work") == [] && root.files("inbox") == [])
    }

    @Test("a model waits for the data file that it names, and both go on together", arguments: [true, false])
    func externalData(dataFirst: Bool) throws {
        let root = try WatchedRoot()
        let daemon = try root.start()
        #expect(Wait.until { root.log.contains("watching") })
        let (model, data) = GeneratedModel.external(seed: 7, file: "weights.bin")
        let parts = [("weights.bin", data), ("m.onnx", model)]
        for (name, bytes) in dataFirst ? parts : parts.reversed() {
            try root.drop(name, bytes)
            usleep(900_000)
        }
        #expect(Wait.until { root.isPublished("m") && root.files("done").count == 2 }, "\(root.log)")
        #expect(root.files("done") == ["m.onnx", "weights.bin"])
        #expect(try root.jobs().map(\.attempts) == [1])
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test(
        "a folder of 100 models that is moved in is converted model by model, and no output is ever seen half-written")
    func folder() throws {
        let root = try WatchedRoot()
        mkdir(root.path + "/staging/zoo", 0o755)
        for index in 0..<100 { try root.stage("zoo/m\(index).onnx", GeneratedModel.small(seed: UInt64(index))) }
        let daemon = try root.start()
        #expect(Wait.until { root.log.contains("watching") })
        rename(root.path + "/staging/zoo", root.path + "/inbox/zoo")
        var firstSeen: [String: Int] = [:]
        let complete = Wait.until(seconds: 90) {
            for index in 0..<100 where firstSeen["m\(index)"] == nil {
                var status = stat()
                guard stat("\(root.path)/outbox/zoo/m\(index).onnx", &status) == 0 else { continue }
                firstSeen["m\(index)"] = Int(status.st_size)
                // The model comes last: who sees it sees all.
                #expect(root.isPublished("zoo/m\(index)"))
            }
            return firstSeen.count == 100 && root.files("done").count == 100
        }
        #expect(complete, "\(firstSeen.count) of 100\n\(root.log.suffix(3000))")
        for (name, size) in firstSeen {
            var status = stat()
            #expect(stat("\(root.path)/outbox/zoo/\(name).onnx", &status) == 0 && Int(status.st_size) == size)
        }
        #expect(root.files("outbox").count == 300 && root.files("failed").isEmpty)
        #expect(try root.jobs([.done]).count == 100 && root.jobs().count == 100)
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test("a truncated model goes to failed with a code and the log, and a retry takes it up again")
    func truncated() throws {
        let root = try WatchedRoot()
        try root.drop("bad.onnx", Array(GeneratedModel.small(seed: 1).dropLast(100)))
        try root.drop("good.onnx", GeneratedModel.small(seed: 2))
        #expect(try root.start("--once").wait() == 65, "\(root.log)")
        #expect(root.isPublished("good"))
        #expect(root.files("failed") == ["bad/bad.onnx", "bad/error.json", "bad/log.txt"])
        #expect(Shell.run("cat '\(root.path)/failed/bad/error.json'").output.contains("\"code\":\"onnx."))
        let job = try #require(try root.jobs([.failed]).first)
        #expect(Program.run("jobs retry \(job.id) --root '\(root.path)'").status == 0)
        #expect(try root.start("--once").wait() == 65)
        #expect(try root.jobs([.failed]).map(\.id) == [job.id])
        #expect(root.files("failed") == ["bad/bad.onnx", "bad/error.json", "bad/log.txt"])
    }

    @Test("a source that is to be kept goes back to the inbox and is left alone there")
    func keptSource() throws {
        let root = try WatchedRoot(settings: "source: keep\n")
        try root.drop("a.onnx", GeneratedModel.small(seed: 4))
        let daemon = try root.start()
        #expect(Wait.until { root.isPublished("a") && root.has("inbox/a.onnx") }, "\(root.log)")
        usleep(1_500_000)
        #expect(root.files("inbox") == ["a.onnx"] && root.files("done") == [])
        #expect(try root.jobs().map(\.attempts) == [1])
        #expect(!root.log.contains("passed over"), "\(root.log)")
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
        #expect(try root.start("--once").wait() == 0)
        #expect(root.files("inbox") == ["a.onnx"], "\(root.log)")
        #expect(try root.jobs().map(\.attempts) == [1])
    }

    @Test("a name that is not UTF-8 is refused once, and its file is kept")
    func strangeName() throws {
        let root = try WatchedRoot()
        try root.stage("model", GeneratedModel.small(seed: 1))
        _ = Shell.run("cd '\(root.path)' && mv staging/model inbox/\"$(printf 'a\\377b').onnx\"")
        #expect(try root.start("--once").wait() == 65, "\(root.log)")
        #expect(try root.jobs().map { $0.failure?.code } == ["input.name-not-utf8"])
        #expect(Shell.run("find '\(root.path)/failed' -name '*.onnx' | wc -l").output == "1\n")
    }

    @Test("an output that is dropped in again is passed on without a second factorization")
    func ownOutput() throws {
        let root = try WatchedRoot()
        try root.drop("a.onnx", GeneratedModel.small(seed: 3))
        #expect(try root.start("--once").wait() == 0)
        _ = Shell.run("cp '\(root.path)/outbox/a.onnx' '\(root.path)/inbox/b.onnx'")
        #expect(try root.start("--once").wait() == 0)
        #expect(root.log.contains("written by this program before"), "\(root.log)")
        #expect(Shell.run("cmp '\(root.path)/outbox/a.onnx' '\(root.path)/outbox/b.onnx'").status == 0)
    }
}
