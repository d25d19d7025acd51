import Glibc
import TestSupport
import Testing
import WatchFolder

@Suite("Sources after their job")
struct SourceKeeperTests {
    let claiming: ClaimerTests
    let keeper: SourceKeeper
    var layout: WatchLayout { claiming.layout }

    init() throws {
        claiming = try ClaimerTests()
        keeper = SourceKeeper(claiming.claimer)
    }

    func shell(_ command: String) -> Int32 { claiming.shell(command) }

    /// The files of a folder of the root, with the first line of each: `a/x.onnx=1 …`.
    func list(_ folder: String) -> String {
        Shell.run(
            "cd '\(claiming.folder.path)/\(folder)' && find . -type f | sed 's,^./,,' | sort | while read -r f; do printf '%s=%s ' \"$f\" \"$(head -n1 \"$f\")\"; done"
        ).output
    }

    func claim(_ contents: [(BytePath, String)], job: String) throws -> Claim {
        for (path, text) in contents {
            #expect(shell("mkdir -p inbox/\(path.parent) && echo \(text) > inbox/\(path)") == 0)
        }
        return try claiming.claimer.claim(try claiming.set(contents.map(\.0)), job: job)
    }

    @Test("done sources go to the mirrored folder, and names that are taken get the stamp")
    func done() throws {
        for (index, expected) in ["x.onnx", "x.T.onnx", "x.T-2.onnx", "x.T-3.onnx"].enumerated() {
            let claim = try claim([("a/b/x.onnx", "\(index)")], job: "\(index)")
            let paths = try keeper.moveToDone(claim, stamp: "T")
            #expect(paths == [layout.done.appending("a/b").appending(BytePath(expected))])
            #expect(try keeper.moveToDone(claim, stamp: "T") == [])
            try claiming.claimer.discard(claim.job)
        }
        #expect(list("done") == "a/b/x.T-2.onnx=2 a/b/x.T-3.onnx=3 a/b/x.T.onnx=1 a/b/x.onnx=0 ")
        #expect(list(".work") == "")
    }

    @Test("a set whose names are taken keeps them in a folder of its own")
    func doneSet() throws {
        _ = try keeper.moveToDone(try claim([("x.onnx", "m1"), ("x.data", "d1"), ("w/y", "w")], job: "1"), stamp: "T")
        _ = try keeper.moveToDone(try claim([("x.onnx", "m2"), ("x.data", "d2"), ("w/y", "w")], job: "2"), stamp: "T")
        #expect(list("done") == "w/y=w x.T.onnx/w/y=w x.T.onnx/x.data=d2 x.T.onnx/x.onnx=m2 x.data=d1 x.onnx=m1 ")
    }

    @Test("weights that models share are kept once in done")
    func doneShared() throws {
        _ = try keeper.moveToDone(try claim([("x.onnx", "x"), ("w", "same")], job: "1"), stamp: "T")
        _ = try keeper.moveToDone(try claim([("y.onnx", "y"), ("w", "same")], job: "2"), stamp: "T")
        _ = try keeper.moveToDone(try claim([("z.onnx", "z"), ("w", "diff")], job: "3"), stamp: "T")
        #expect(list("done") == "w=same x.onnx=x y.onnx=y z.T.onnx/w=diff z.T.onnx/z.onnx=z ")
        #expect(list(".work/2/source") == "")
    }

    @Test("a move of a set that was interrupted goes on where it was")
    func doneResumes() throws {
        let claim = try claim([("x.onnx", "m"), ("x.data", "d"), ("x.npz", "n")], job: "1")
        #expect(shell("mv .work/1/source/x.data done/") == 0)
        #expect(try keeper.moveToDone(claim, stamp: "T").count == 2)
        #expect(list("done") == "x.data=d x.npz=n x.onnx=m ")
    }

    @Test("names of 255 bytes fit with a stamp, and do not cut characters in two", arguments: ["n", "é", "語"])
    func longNames(_ character: String) throws {
        let stem = String(repeating: character, count: 250 / character.utf8.count)
        let name = BytePath(stem + ".onnx")
        var paths: [BytePath] = []
        for job in ["1", "2", "3"] {
            let claim = try claim([(name, job)], job: job)
            paths += try keeper.moveToDone(claim, stamp: "20261123T222449Z")
        }
        #expect(Set(paths).count == 3)
        for path in paths {
            #expect(path.name.bytes.count <= 255)
            #expect(String(validating: path.name.bytes, as: UTF8.self) != nil, "\(path.name)")
            #expect(path.name.description.hasSuffix(".onnx"))
        }
        let claim = try claim([(name, "4")], job: "4")
        let failed = try keeper.quarantine(claim, stamp: "T", notes: [])
        #expect(failed.name == BytePath(stem))
    }

    @Test("a failed source is put into a folder of its name, with notes and log, and another beside it")
    func quarantine() throws {
        for (index, expected) in ["x.v2", "x.v2.T", "x.v2.T-2"].enumerated() {
            let claim = try claim([("a/x.v2.onnx", "m\(index)"), ("a/w/y", "w")], job: "\(index)")
            #expect(shell("echo line > .work/\(index)/log") == 0)
            let path = try keeper.quarantine(
                claim, stamp: "T", notes: [.init(name: "error.json", bytes: Array("{}".utf8))],
                files: ["log", "absent"])
            #expect(path == layout.failed.appending("a").appending(BytePath(expected)))
            #expect(list("failed/a/\(expected)") == "error.json={} log=line w/y=w x.v2.onnx=m\(index) ")
        }
        #expect(Shell.run("find '\(claiming.folder.path)/failed' -name '.rene*'").output == "")
    }

    @Test("a quarantine that was interrupted, or repeated after its end, leaves one folder")
    func quarantineResumes() throws {
        #expect(shell("mkdir -p failed/x") == 0)
        let claim = try claim([("x.onnx", "m"), ("x.data", "d")], job: "1")
        let note = SourceKeeper.Note(name: "error.json", bytes: Array("{}".utf8))
        // Killed while it was filling the hidden folder: a file in the place of the last step keeps it from ending.
        let first = try keeper.quarantine(claim, stamp: "T", notes: [note])
        #expect(first.name == "x.T")
        #expect(try keeper.quarantine(claim, stamp: "T", notes: [note]) == first)
        #expect(list("failed") == "x.T/error.json={} x.T/x.data=d x.T/x.onnx=m ")
    }

    @Test("a note does not hide a file of the source that has its name")
    func noteClash() throws {
        let claim = try claim([("x.onnx", "m"), ("error.json", "mine")], job: "1")
        _ = try keeper.quarantine(claim, stamp: "T", notes: [.init(name: "error.json", bytes: Array("{}".utf8))])
        #expect(list("failed/x") == "error.json=mine rene.error.json={} x.onnx=m ")
    }

    @Test("deleting removes the source and nothing else")
    func delete() throws {
        let claim = try claim([("x.onnx", "m"), ("x.data", "d")], job: "1")
        #expect(shell("echo keep > .work/1/result") == 0)
        try keeper.delete(claim)
        try keeper.delete(claim)
        #expect(
            shell("test -f .work/1/result && ! test -e .work/1/source/x.onnx && ! test -e .work/1/source/x.data") == 0)
    }

    @Test(
        "a source on another file system is moved to done by copy where that is allowed",
        .enabled(if: Privilege.mayMount))
    func doneElsewhere() throws {
        #expect(shell("mount -t tmpfs -o size=8m rene-test done") == 0)
        defer { _ = shell("umount -l done") }
        let claim = try claim([("x.onnx", "m")], job: "1")
        #expect(claiming.code { try keeper.moveToDone(claim, stamp: "T") } == "watch.other-file-system")
        #expect(list(".work/1/source") == "x.onnx=m ")
        let copying = SourceKeeper(Claimer(layout: layout, allowsCopies: true))
        #expect(try copying.moveToDone(claim, stamp: "T") == [layout.done.appending("x.onnx")])
        #expect(list("done") == "x.onnx=m ")
        #expect(list(".work/1/source") == "")
    }

    @Test("a source that is left goes back to the inbox and is not told of again until it changes")
    func leave() async throws {
        let observed = try ObservedInbox()
        #expect(observed.shell("echo 1 > inbox/x.onnx") == 0)
        observed.start()
        #expect(await observed.wait { !$0.sets.isEmpty })
        let claimer = Claimer(layout: observed.layout)
        let claim = try claimer.claim(observed.sets[0], job: "1")
        #expect(try SourceKeeper(claimer).leave(claim, in: observed.inbox) == ["x.onnx"])
        #expect(observed.shell("echo 1 > inbox/later.onnx") == 0)
        #expect(await observed.wait { $0.models == ["x.onnx", "later.onnx"] }, "\(observed.models)")
        #expect(observed.shell("echo 22 > inbox/x.onnx") == 0)
        #expect(await observed.wait { $0.models == ["x.onnx", "later.onnx", "x.onnx"] }, "\(observed.models)")
        #expect(await observed.stop())
    }
}
