import Glibc
import TestSupport
import Testing

/// `rene batch` and the commands beside the daemon, by the real program.
@Suite("Batch", .serialized)
struct BatchTests {
    private static func zoo(_ count: Int) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        mkdir(folder.path + "/zoo", 0o755)
        mkdir(folder.path + "/zoo/sub", 0o755)
        for index in 0..<count {
            try folder.write(
                "zoo/\(index % 2 == 0 ? "" : "sub/")m\(index).onnx", GeneratedModel.small(seed: UInt64(index)))
        }
        return folder
    }

    private static func models(_ folder: String) -> [String] {
        Shell.run("cd '\(folder)' && find . -name '*.onnx' | sort").output.split(separator: "\n").map(String.init)
    }

    @Test("a zoo comes out mirrored, a bad model stops nothing, and a second run does nothing again")
    func zoo() throws {
        let folder = try Self.zoo(6)
        try folder.write("zoo/bad.onnx", Array(GeneratedModel.small(seed: 99).prefix(1000)))
        let (out, status) = Program.run("batch '\(folder.path)/zoo' '\(folder.path)/out' --jobs 2")
        #expect(status == 65 && out.contains("6 converted, 0 unchanged, 0 skipped, 1 failed"), "\(out)")
        #expect(Self.models(folder.path + "/out") == Self.models(folder.path + "/zoo").filter { $0 != "./bad.onnx" })
        let summary = String(decoding: try folder.read("out/summary.csv"), as: UTF8.self)
        #expect(summary.split(separator: "\r\n").count == 8, "\(summary)")
        #expect(summary.contains("bad.onnx,failed,,,,,,,,onnx."), "\(summary)")
        let again = Program.run("batch '\(folder.path)/zoo' '\(folder.path)/out'")
        #expect(again.output.contains("6 skipped, 1 failed"), "\(again.output)")
        let other = Program.run("batch '\(folder.path)/zoo' '\(folder.path)/out' --max-error 0.3")
        #expect(other.output.contains("output.exists") && other.status == 65, "\(other.output)")
    }

    @Test("shards together hold every model once")
    func shards() throws {
        let folder = try Self.zoo(7)
        for shard in 1...3 {
            let (out, status) = Program.run(
                "batch '\(folder.path)/zoo' '\(folder.path)/out' --shard \(shard)/3 --jobs 1")
            #expect(status == 0 && out.contains("\(shard == 1 ? 3 : 2) converted, 0 unchanged, 0 skipped"), "\(out)")
        }
        #expect(Self.models(folder.path + "/out") == Self.models(folder.path + "/zoo"))
        #expect(Program.run("batch '\(folder.path)/zoo' '\(folder.path)/out' --shard 0/3").status == 64)
    }

    @Test("a run that was killed is taken up where it was")
    func resume() throws {
        let folder = try Self.zoo(30)
        let program = try Program(
            ["batch", folder.path + "/zoo", folder.path + "/out", "--jobs", "1"], log: folder.path + "/log")
        #expect(Wait.until { Self.models(folder.path + "/out").filter { !$0.contains("/.rene") }.count >= 3 })
        program.signal(SIGKILL)
        program.wait()
        let (out, status) = Program.run("batch '\(folder.path)/zoo' '\(folder.path)/out'")
        let skipped = out.split(separator: " ").firstIndex(of: "skipped,").map { out.split(separator: " ")[$0 - 1] }
        #expect(status == 0 && (Int(skipped ?? "") ?? 0) >= 3, "\(out)")
        #expect(Self.models(folder.path + "/out") == Self.models(folder.path + "/zoo"))
        #expect(Shell.run("ls -A '\(folder.path)/out' | grep -c '^.rene'").output == "0\n")
    }

    @Test("SIGTERM ends a run with whole results only, and the next run goes on", arguments: [SIGTERM, SIGINT])
    func stopped(signal: Int32) throws {
        let folder = try Self.zoo(3)
        // Converted last, and slowly.
        try folder.write("zoo/z.onnx", GeneratedModel.slow(seed: 9, side: 4000))
        let out = folder.path + "/out"
        let program = try Program(["batch", folder.path + "/zoo", out, "--jobs", "1"], log: folder.path + "/log")
        #expect(Wait.until { Self.models(out).filter { !$0.contains("/.rene") }.count == 3 })
        program.signal(signal)
        #expect(program.wait() == 75)
        let log = String(decoding: try folder.read("log"), as: UTF8.self)
        #expect(log.contains("batch.stopped"), "\(log)")
        #expect(
            Shell.run("find '\(out)' -type f | wc -l").output == "9\n"
                && Shell.run("ls -A '\(out)' | grep -c '^.rene'").output == "0\n")
        let again = Program.run("batch '\(folder.path)/zoo' '\(out)'")
        #expect(again.status == 0 && again.output.contains("3 skipped"), "\(again.output)")
        #expect(Self.models(out) == Self.models(folder.path + "/zoo"))
    }

    @Test("config check tells line and remedy, and ends with 78")
    func configCheck() throws {
        let folder = try TemporaryFolder()
        try folder.write("bad.yaml", Array("workers: 2\nmax_eror: 0.1\n".utf8))
        let (out, status) = Program.run("config check '\(folder.path)/bad.yaml'")
        #expect(status == 78 && out.contains("bad.yaml:2:1") && out.contains("max_error"), "\(out)")
        try folder.write("good.yaml", Array("workers: 2\n".utf8))
        #expect(Program.run("config check '\(folder.path)/good.yaml'").status == 0)
    }

    @Test("jobs tells of a folder that was never watched")
    func noStore() throws {
        let folder = try TemporaryFolder()
        let (out, status) = Program.run("jobs list --root '\(folder.path)'")
        #expect(status != 0 && out.contains("store.missing"), "\(out)")
    }
}
