import TestSupport
import Testing
import WatchFolder

@Suite("Watching a folder")
struct FolderWatcherTests {
    let folder: TemporaryFolder
    let notifier = ScriptedNotifier()

    init() throws {
        folder = try TemporaryFolder()
        #expect(
            shell(
                "mkdir -p in/a/b in/.hidden in/@eaDir && echo 1 | tee in/x.onnx in/a/b/y.onnx in/.hidden/z.onnx in/v.tmp"
            ) == 0)
    }

    func shell(_ command: String) -> Int32 { Shell.run("cd '\(folder.path)' && (\(command)) >/dev/null").status }

    func watcher(
        _ options: WatchOptions = .init(), kind: String = "ext4",
        connect: (() throws(WatchError) -> any FolderNotifier)? = nil
    ) -> FolderWatcher<Tick> {
        let notifier = notifier
        let scripted = { () throws(WatchError) -> any FolderNotifier in notifier }
        return FolderWatcher(
            root: BytePath(folder.path + "/in"), filter: .init(modelExtensions: ["onnx"]), options: options,
            now: .at(0),
            kind: { _ in FileSystemKind(name: kind) }, connect: connect ?? scripted)
    }

    func found(_ hints: [FolderHint]) -> [BytePath] {
        hints.compactMap { if case .found(let path) = $0 { path } else { nil } }.sorted()
    }

    func problems(_ hints: [FolderHint]) -> [String] {
        hints.compactMap { if case .problem(let error) = $0 { error.code } else { nil } }
    }

    func states(_ hints: [FolderHint]) -> [WatchState] {
        hints.compactMap { if case .state(let state) = $0 { state } else { nil } }
    }

    @Test("the first tick scans all folders but the ignored ones and watches them")
    func firstScan() {
        let watcher = watcher()
        let hints = watcher.tick(at: .at(0))
        #expect(found(hints) == ["a/b/y.onnx", "x.onnx"])
        #expect(states(hints) == [.watching])
        #expect(hints.contains(.scanned))
        #expect(watcher.watchCount == 3)
    }

    @Test("a full scan comes after each interval, and finds what events did not tell")
    func rescan() {
        let watcher = watcher()
        _ = watcher.tick(at: .at(0))
        #expect(shell("echo 1 > in/silent.onnx") == 0)
        #expect(found(watcher.tick(at: .at(299))) == [])
        #expect(found(watcher.tick(at: .at(300))) == ["a/b/y.onnx", "silent.onnx", "x.onnx"])
        #expect(found(watcher.tick(at: .at(599))) == [])
        #expect(found(watcher.tick(at: .at(600))).count == 3)
    }

    @Test("an overflow of the kernel's queue leads to a full scan at once")
    func overflow() {
        let watcher = watcher()
        _ = watcher.tick(at: .at(0))
        #expect(shell("echo 1 > in/lost.onnx") == 0)
        notifier.events = [InotifyEvent(watch: -1, mask: .overflow)]
        #expect(problems(watcher.readEvents(at: .at(10))) == ["watch.overflow"])
        #expect(watcher.nextTick <= .at(10))
        #expect(found(watcher.tick(at: .at(10))).contains("lost.onnx"))
    }

    @Test("without enough watches it polls, says which limit to raise, and watches again when it can")
    func watchLimit() throws {
        notifier.limit = 2
        let watcher = watcher()
        let states = states(watcher.tick(at: .at(0)))
        guard case .polling(let error?) = try #require(states.last) else {
            Issue.record("\(states)")
            return
        }
        #expect(error.code == "watch.watch-limit")
        #expect(error.remedy.contains("fs.inotify.max_user_watches"))
        #expect(shell("echo 1 > in/a/b/new.onnx") == 0)
        #expect(shell("mkdir in/0 in/zz") == 0)
        let again = watcher.tick(at: .at(10))
        #expect(found(again).contains("a/b/new.onnx"))
        #expect(self.states(again) == [], "a shortage is told once")
        notifier.limit = .max
        #expect(self.states(watcher.tick(at: .at(20))) == [.watching])
        #expect(watcher.watchCount == 5)
    }

    @Test("without an instance it polls, and takes one when there is one")
    func instanceLimit() {
        let attempts = Counter()
        let watcher = watcher { [notifier] () throws(WatchError) -> any FolderNotifier in
            attempts.count += 1
            if attempts.count <= 2 { throw InotifyNotifier.limit(24, "/") }
            return notifier
        }
        var hints = watcher.tick(at: .at(0))
        guard case .polling(let error?) = states(hints).last else {
            Issue.record("\(hints)")
            return
        }
        #expect(error.code == "watch.instance-limit")
        #expect(error.remedy.contains("fs.inotify.max_user_instances"))
        #expect(found(hints).count == 2)
        hints = watcher.tick(at: .at(10))
        #expect(states(hints) == [.watching])
        #expect(watcher.watchCount == 3)
    }

    @Test("file systems where inotify is silent are polled", arguments: ["nfs4", "cifs", "9p", "fuse.sshfs"])
    func remote(_ kind: String) {
        let watcher = watcher(kind: kind)
        #expect(states(watcher.tick(at: .at(0))) == [.polling(nil)])
        #expect(watcher.descriptor == -1)
        #expect(found(watcher.tick(at: .at(10))).count == 2)
        #expect(states(self.watcher(.init(mode: .notifications), kind: kind).tick(at: .at(0))) == [.watching])
    }

    @Test("folders that are moved in are watched and scanned at once, those that leave are forgotten")
    func movedFolders() {
        let watcher = watcher()
        _ = watcher.tick(at: .at(0))
        #expect(shell("mkdir -p out/d/e && echo 1 > out/d/e/n.onnx && mv out/d in/d && mv in/a out/a") == 0)
        let root = notifier.watched[BytePath(folder.path + "/in")] ?? 0
        notifier.events = [
            InotifyEvent(watch: root, mask: [.movedTo, .isFolder], name: "d"),
            InotifyEvent(watch: root, mask: [.movedFrom, .isFolder], name: "a"),
        ]
        let hints = watcher.readEvents(at: .at(1))
        #expect(found(hints) == ["d/e/n.onnx"])
        #expect(hints.contains(.folderVanished("a")))
        #expect(watcher.watchCount == 3)
    }

    @Test(
        "a root that is removed, renamed, or replaced by a link is missed, and found again when it returns",
        arguments: [
            ("rm -r in", "mkdir in && echo 1 > in/back.onnx", "watch.folder-missing"),
            ("mv in gone", "mv gone in && echo 1 > in/back.onnx", "watch.folder-missing"),
            ("mv in gone && ln -s gone in", "rm in && mv gone in && echo 1 > in/back.onnx", "watch.folder-replaced"),
            ("rm -r in && echo 1 > in", "rm in && mkdir in && echo 1 > in/back.onnx", "watch.folder-replaced"),
        ])
    func rootLost(_ loss: String, _ repair: String, _ code: String) {
        let watcher = watcher()
        _ = watcher.tick(at: .at(0))
        #expect(shell(loss) == 0)
        let lost = watcher.tick(at: .at(2))
        guard case .degraded(let error) = states(lost).last else {
            Issue.record("\(lost)")
            return
        }
        #expect(error.code == code)
        #expect(lost.contains(.folderVanished("")))
        #expect(watcher.tick(at: .at(4)) == [])
        #expect(shell(repair) == 0)
        let back = watcher.tick(at: .at(6))
        #expect(states(back) == [.watching])
        #expect(found(back).contains("back.onnx"))
    }

    @Test("a folder that cannot be listed is reported once, the others go on")
    func tooDeep() {
        let watcher = watcher(.init(maximumDepth: 1))
        let hints = watcher.tick(at: .at(0))
        #expect(problems(hints) == ["watch.too-deep"])
        #expect(found(hints) == ["x.onnx"])
        #expect(problems(watcher.tick(at: .at(300))) == [])
    }

    @Test("links to folders are not followed")
    func linkedFolder() {
        #expect(shell("ln -s /etc in/link && ln -s ../in in/loop") == 0)
        #expect(found(watcher().tick(at: .at(0))) == ["a/b/y.onnx", "link", "loop", "x.onnx"])
    }

    final class Counter { var count = 0 }
}
