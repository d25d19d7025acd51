import Glibc
import TestSupport
import Testing
import WatchFolder

@Suite("Claiming")
struct ClaimerTests {
    let folder: TemporaryFolder
    let layout: WatchLayout
    let claimer: Claimer

    init() throws {
        folder = try TemporaryFolder()
        layout = WatchLayout(root: BytePath(folder.path))
        try layout.prepare()
        claimer = Claimer(layout: layout)
    }

    func shell(_ command: String) -> Int32 { Shell.run("cd '\(folder.path)' && (\(command)) >/dev/null 2>&1").status }
    func list() -> String {
        Shell.run("cd '\(folder.path)' && find inbox done failed .work -type f | sort | tr '\\n' ' '").output
    }

    /// The set of files in the inbox as they are now; the first is the model.
    func set(_ paths: [BytePath], sharedWith: [BytePath] = []) throws -> ModelSet {
        var members: [ModelSet.Member] = []
        for path in paths {
            let status = try #require(FileStatus.of(layout.inbox.appending(path)), "\(path)")
            let isModel = members.isEmpty
            members.append(
                .init(path: path, status: status, role: isModel ? .model : .data, sharedWith: isModel ? [] : sharedWith)
            )
        }
        return ModelSet(model: members[0], companions: Array(members.dropFirst()))
    }

    func code(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "none"
        } catch {
            return (error as? WatchError)?.code ?? "\(error)"
        }
    }

    @Test("a claim moves the set into a private folder and keeps sub-folders")
    func claims() throws {
        #expect(
            shell("mkdir -p inbox/a/w && echo m > inbox/a/x.onnx && echo d > inbox/a/w/x.bin && echo o > inbox/a/other")
                == 0)
        let claim = try claimer.claim(try set(["a/x.onnx", "a/w/x.bin"]), job: "7")
        #expect(list() == ".work/7/claim .work/7/source/w/x.bin .work/7/source/x.onnx inbox/a/other ")
        #expect(
            Shell.run("stat -c %a '\(folder.path)/.work' '\(folder.path)/.work/7' '\(folder.path)/.work/7/source'")
                .output == "700\n700\n700\n")
        #expect(claim.folder == "a")
        #expect(claim.model == "x.onnx")
        #expect(claim.modelPath(in: layout) == BytePath(folder.path + "/.work/7/source/x.onnx"))
        #expect(claimer.isComplete(claim))
        let read = try #require(try claimer.claim(of: "7"))
        #expect(read.members.map(\.path) == claim.members.map(\.path))
        #expect(read.folder == claim.folder)
        #expect(try claimer.jobs() == ["7"])
    }

    @Test("undoing a claim puts every file back, in any state of interruption")
    func undoes() throws {
        for moved in 0...3 {
            #expect(
                shell(
                    "rm -rf inbox/* .work/*; mkdir -p inbox/a && cd inbox/a && echo m > x.onnx && echo 1 > x.data && echo 2 > x.npz"
                ) == 0)
            let claim = try claimer.claim(try set(["a/x.onnx", "a/x.data", "a/x.npz"]), job: "j")
            // As if the claim had been killed after so many moves; companions come first.
            for member in claim.members.dropFirst(moved) {
                #expect(shell("mv .work/j/source/\(member.path) inbox/a/") == 0)
            }
            let known = try #require(try claimer.claim(of: "j"))
            #expect(claimer.isComplete(known) == (moved == 3))
            try claimer.undo(known)
            #expect(list() == "inbox/a/x.data inbox/a/x.npz inbox/a/x.onnx ", "\(moved) moved")
            #expect(try claimer.jobs() == [])
        }
    }

    @Test("an interrupted claim without a whole record holds no source; one with files is not thrown away")
    func brokenRecord() throws {
        #expect(
            shell(
                "mkdir -p .work/a/source .work/b/source .work/c && printf 'rene-claim 1\\nfolder x' > .work/a/claim && echo 1 > .work/b/source/x.onnx"
            ) == 0)
        #expect(try claimer.claim(of: "a") == nil)
        #expect(try claimer.claim(of: "c") == nil)
        #expect(try claimer.claim(of: "absent") == nil)
        #expect(code { _ = try claimer.claim(of: "b") } == "watch.claim-record")
        try claimer.discard("a")
        #expect(try claimer.jobs() == ["b", "c"])
    }

    @Test("a name that was taken meanwhile is not replaced when a claim is undone")
    func undoClash() throws {
        #expect(shell("echo old > inbox/x.onnx") == 0)
        let claim = try claimer.claim(try set(["x.onnx"]), job: "j5")
        #expect(shell("echo new > inbox/x.onnx") == 0)
        #expect(try claimer.undo(claim) == ["x.j5.onnx"])
        #expect(Shell.run("cd '\(folder.path)/inbox' && cat x.onnx x.j5.onnx").output == "new\nold\n")
    }

    @Test(
        "of two claims of one set one succeeds, and files that have changed, gone or become others are refused",
        arguments: [
            ("true", "none"), ("rm inbox/x.onnx", "watch.missing"), ("echo more >> inbox/x.onnx", "watch.changed"),
            ("rm inbox/x.onnx; mkfifo inbox/x.onnx", "watch.not-a-file"),
            ("rm inbox/x.onnx; mkdir inbox/x.onnx", "watch.not-a-file"),
            ("mv inbox/x.onnx y; ln -s ../y inbox/x.onnx", "watch.not-a-file"),
            ("rm -r inbox; ln -s . inbox", "watch.not-a-folder"),
            ("mv inbox/x.onnx y; cp -p y inbox/x.onnx", "watch.changed"), ("rm -r inbox", "watch.missing"),
        ])
    func refuses(_ change: String, _ expected: String) throws {
        #expect(shell("echo 1 > inbox/x.onnx") == 0)
        let set = try set(["x.onnx"])
        #expect(shell(change) == 0)
        let code = code { _ = try claimer.claim(set, job: "1") }
        #expect(code == expected)
        #expect(try claimer.jobs() == (expected == "none" ? ["1"] : []))
        #expect(self.code { _ = try claimer.claim(set, job: "2") } == (expected == "none" ? "watch.missing" : expected))
    }

    @Test("a companion that has gone leaves the model where it is")
    func companionGone() throws {
        #expect(shell("echo 1 > inbox/x.onnx; echo 2 > inbox/a.data; echo 3 > inbox/b.data") == 0)
        let set = try set(["x.onnx", "a.data", "b.data"])
        #expect(shell("rm inbox/b.data") == 0)
        #expect(code { _ = try claimer.claim(set, job: "1") } == "watch.missing")
        #expect(list() == "inbox/a.data inbox/x.onnx ")
    }

    @Test("a file that a program has open for writing is put back")
    func stillOpen() throws {
        #expect(shell("echo 1 > inbox/x.onnx") == 0)
        let set = try set(["x.onnx"])
        let descriptor = unsafe open(folder.path + "/inbox/x.onnx", O_WRONLY | O_APPEND | O_CLOEXEC)
        #expect(code { _ = try claimer.claim(set, job: "1") } == "watch.still-open")
        #expect(list() == "inbox/x.onnx ")
        close(descriptor)
        // A child that another test has forked holds the file too, until it runs its program.
        var last = code { _ = try claimer.claim(set, job: "1") }
        for _ in 0..<1000 where last == "watch.still-open" {
            usleep(10_000)
            last = code { _ = try claimer.claim(set, job: "1") }
        }
        #expect(last == "none")
    }

    @Test("shared weights are copied as long as another model is there, and moved with the last")
    func shared() throws {
        #expect(
            shell(
                "echo a > inbox/a.onnx; echo b > inbox/b.onnx; head -c 3000000 /dev/urandom > inbox/w; cp -p inbox/w w; chmod 640 inbox/w"
            ) == 0)
        let first = try claimer.claim(try set(["a.onnx", "w"], sharedWith: ["b.onnx"]), job: "1")
        #expect(list() == ".work/1/claim .work/1/source/a.onnx .work/1/source/w inbox/b.onnx inbox/w ")
        #expect(
            shell("cmp w .work/1/source/w && test $(stat -c %Y.%a inbox/w) = $(stat -c %Y.%a .work/1/source/w)") == 0)
        try claimer.undo(first)
        #expect(list() == "inbox/a.onnx inbox/b.onnx inbox/w ")
        _ = try claimer.claim(try set(["a.onnx", "w"], sharedWith: ["b.onnx"]), job: "1")
        _ = try claimer.claim(try set(["b.onnx", "w"], sharedWith: ["a.onnx"]), job: "2")
        #expect(
            list()
                == ".work/1/claim .work/1/source/a.onnx .work/1/source/w .work/2/claim .work/2/source/b.onnx .work/2/source/w "
        )
        #expect(shell("cmp w .work/2/source/w") == 0)
    }

    @Test(
        "on another file system the claim is refused, or made by a verified copy where that is allowed",
        .enabled(if: Privilege.mayMount))
    func otherFileSystem() throws {
        #expect(shell("mount -t tmpfs -o size=8m rene-test .work") == 0)
        defer { _ = shell("umount -l .work") }
        #expect(code { try layout.prepare() } == "watch.other-file-system")
        #expect(try layout.prepare(allowingCopies: true) == [.inbox, .outbox, .done, .failed])
        #expect(shell("head -c 2500000 /dev/urandom > inbox/x.onnx; cp inbox/x.onnx orig") == 0)
        #expect(code { _ = try claimer.claim(try set(["x.onnx"]), job: "1") } == "watch.other-file-system")
        #expect(list() == "inbox/x.onnx ")
        let copying = Claimer(layout: layout, allowsCopies: true)
        let claim = try copying.claim(try set(["x.onnx"]), job: "1")
        #expect(list() == ".work/1/claim .work/1/source/x.onnx ")
        #expect(shell("cmp orig .work/1/source/x.onnx") == 0)
        try copying.undo(claim)
        #expect(shell("cmp orig inbox/x.onnx") == 0)
        #expect(list() == "inbox/x.onnx ")
        #expect(shell("head -c 9000000 /dev/zero > inbox/big.onnx") == 0)
        #expect(code { _ = try copying.claim(try set(["big.onnx"]), job: "2") } == "watch.no-space")
        #expect(list() == "inbox/big.onnx inbox/x.onnx ")
    }

    @Test("a file that may not be moved is told of as such and stays", .enabled(if: Privilege.mayMount))
    func immutable() throws {
        #expect(shell("echo 1 > inbox/x.onnx") == 0)
        let set = try set(["x.onnx"])
        #expect(shell("chattr +i inbox/x.onnx") == 0)
        defer { _ = shell("chattr -i inbox/x.onnx") }
        #expect(code { _ = try claimer.claim(set, job: "1") } == "watch.permission-denied")
        #expect(list() == "inbox/x.onnx ")
    }

    @Test("names of jobs that are paths are refused", arguments: ["", "..", "a/b", "/a"])
    func jobNames(_ name: String) throws {
        #expect(shell("echo 1 > inbox/x.onnx") == 0)
        let set = try set(["x.onnx"])
        #expect(code { _ = try claimer.claim(set, job: name) } == "watch.unsafe-path")
    }

    @Test("a swap of the file for a link at random moments never lets a link into a claim", arguments: 1...200)
    func race(_ round: Int) throws {
        // Every second round the swap comes before the claim's look, every other after it.
        #expect(unsafe symlink("/etc/passwd", folder.path + "/link") == 0)
        try folder.write("inbox/x.onnx", [1, 2, 3])
        let set = try set(["x.onnx"])
        var thread = pthread_t()
        let path = unsafe strdup(folder.path)
        let made = unsafe pthread_create(
            &thread, nil,
            { context in
                let root = unsafe String(cString: context!.assumingMemoryBound(to: CChar.self))
                unsafe rename(root + "/link", root + "/inbox/x.onnx")
                return nil
            }, path!)
        #expect(made == 0)
        let claim = try? claimer.claim(set, job: "1")
        pthread_join(thread, nil)
        unsafe free(path)
        if let claim {
            #expect(FileStatus.of(claim.modelPath(in: layout))?.kind == .file, "round \(round)")
        } else {
            #expect(try claimer.jobs() == [], "round \(round)")
        }
    }
}
