import ConverterKit
import Glibc
import JobStore
import TestSupport
import Testing

/// What becomes of content that was converted before, with the real program.
@Suite("Duplicates", .serialized)
struct DuplicateTests {
    @Test(
        "the same content under another name, also dropped at once, gets a copy of the result and is not converted again"
    )
    func otherName() throws {
        let root = try WatchedRoot(settings: "workers: 2\n")
        let bytes = GeneratedModel.small(seed: 1)
        for name in ["a", "b", "c"] { try root.stage(name, bytes) }
        _ = Shell.run(
            "cd '\(root.path)' && mkdir staging/sub && mv staging/c staging/sub/a.onnx && mv staging/a inbox/a.onnx "
                + "&& mv staging/b inbox/b.onnx && mv staging/sub inbox/sub")
        #expect(try root.start("--once").wait() == 0, "\(root.log)")
        for name in ["a", "b", "sub/a"] { #expect(root.isPublished(name), "\(name)\n\(root.log)") }
        #expect(root.files("done") == ["a.onnx", "b.onnx", "sub/a.onnx"])
        #expect(root.log.split(separator: "\n").filter { $0.contains("copied: the same content") }.count == 2)
        let reports = ["a", "b", "sub/a"].map { Shell.run("cat '\(root.path)/outbox/\($0).report.json'").output }
        #expect(reports.filter { $0.contains("\"copy_of\"") }.count == 2)
        for (name, report) in zip(["a", "b", "sub/a"], reports) {
            #expect(report.contains("/inbox/\(name).onnx\"") && report.contains("/outbox/\(name).onnx\""), "\(report)")
            #expect(Shell.run("cmp '\(root.path)/outbox/a.onnx' '\(root.path)/outbox/\(name).onnx'").status == 0)
        }
    }

    @Test("a result that is no longer what it was is not copied")
    func changedResult() throws {
        let root = try WatchedRoot()
        let bytes = GeneratedModel.small(seed: 2)
        try root.drop("a.onnx", bytes)
        #expect(try root.start("--once").wait() == 0, "\(root.log)")
        // The same size, other bytes.
        _ = Shell.run("cd '\(root.path)/outbox' && printf X | dd of=a.onnx bs=1 seek=100 conv=notrunc status=none")
        try root.drop("b.onnx", bytes)
        #expect(try root.start("--once").wait() == 0, "\(root.log)")
        #expect(root.isPublished("b") && !root.log.contains("copied: the same content"), "\(root.log)")
        #expect(Shell.run("cmp -s '\(root.path)/outbox/a.onnx' '\(root.path)/outbox/b.onnx'").status == 1)
    }

    @Test("other settings make another result of the same content")
    func otherSettings() throws {
        let root = try WatchedRoot()
        let bytes = GeneratedModel.small(seed: 3)
        try root.drop("a.onnx", bytes)
        #expect(try root.start("--once").wait() == 0, "\(root.log)")
        try root.write("rene.yaml", "stability_delay: 0.3\nmax_error: 0.3\n")
        try root.drop("b.onnx", bytes)
        #expect(try root.start("--once").wait() == 0, "\(root.log)")
        #expect(root.isPublished("b") && !root.log.contains("copied: the same content"), "\(root.log)")
    }

    @Test("the same model again is passed over; a job that is done is converted again by force")
    func again() throws {
        let root = try WatchedRoot()
        let bytes = GeneratedModel.small(seed: 4)
        try root.drop("a.onnx", bytes)
        #expect(try root.start("--once").wait() == 0, "\(root.log)")
        try root.drop("a.onnx", bytes)
        #expect(try root.start("--once").wait() == 0, "\(root.log)")
        #expect(root.log.contains("passed over"), "\(root.log)")
        #expect(try root.jobs().count == 1)
        let before = Shell.run("stat -c %i '\(root.path)/outbox/a.onnx'").output
        #expect(Program.run("jobs retry 1 --root '\(root.path)'").status != 0)
        #expect(Program.run("jobs retry 1 --force --root '\(root.path)'").status == 0)
        #expect(try root.start("--once").wait() == 0, "\(root.log)")
        #expect(root.isPublished("a") && Shell.run("stat -c %i '\(root.path)/outbox/a.onnx'").output != before)
        #expect(root.files("outbox").count == 3 && root.files(".work") == [])
        #expect(root.files("done").contains("a.onnx"), "\(root.files("done"))")
        unlink("\(root.path)/done/a.onnx")
        let refused = Program.run("jobs retry 1 --force --root '\(root.path)'")
        #expect(refused.status == 66 && refused.output.contains("job.source-elsewhere"), "\(refused.output)")
    }

    @Test("a model with a data file gets a copy in another folder, and is converted anew under another name")
    func dataFiles() throws {
        let root = try WatchedRoot()
        let (model, data) = GeneratedModel.external(seed: 5, file: "w.bin")
        func drop(_ folder: String, _ name: String) throws {
            mkdir("\(root.path)/staging/\(folder)", 0o755)
            try root.stage("\(folder)/w.bin", data)
            try root.stage("\(folder)/\(name)", model)
            rename("\(root.path)/staging/\(folder)", "\(root.path)/inbox/\(folder)")
            #expect(try root.start("--once").wait() == 0, "\(root.log)")
        }
        try drop("one", "m.onnx")
        try drop("two", "m.onnx")
        #expect(root.isPublished("one/m") && root.isPublished("two/m"), "\(root.log)")
        #expect(root.log.contains("copied: the same content"), "\(root.log)")
        let folders = ["one", "two"].map { root.files("outbox/\($0)").filter { !$0.hasPrefix("m.report") } }
        #expect(folders[0] == folders[1] && folders[0].contains("m.onnx"))
        for name in folders[0] {
            #expect(Shell.run("cmp '\(root.path)/outbox/one/\(name)' '\(root.path)/outbox/two/\(name)'").status == 0)
        }
        try drop("three", "n.onnx")
        #expect(root.isPublished("three/n"), "\(root.log)")
    }
}
