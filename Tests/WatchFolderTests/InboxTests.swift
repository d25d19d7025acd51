import Glibc
import TestSupport
import Testing
import WatchFolder

/// The whole path from the kernel's events to sets, on real folders.
@Suite("The inbox", .serialized)
struct InboxTests {
    @Test(
        "files that come by cp, by mv, by a hard link and by rsync's temporary name are each told once",
        arguments: [
            "cp model inbox/x.onnx", "mv model inbox/x.onnx", "ln model inbox/x.onnx",
            "cp model inbox/.x.onnx.Ab12Cd && mv inbox/.x.onnx.Ab12Cd inbox/x.onnx",
            "cp model inbox/x.onnx.part && mv inbox/x.onnx.part inbox/x.onnx",
            "cp -p model inbox/x.onnx && touch -d '1 hour ago' inbox/x.onnx && chmod 600 inbox/x.onnx",
        ])
    func arrivals(_ command: String) async throws {
        let observed = try ObservedInbox()
        observed.start(claiming: true)
        #expect(await observed.waitForFirstScan())
        #expect(observed.shell("head -c 5000 /dev/urandom > model && \(command)") == 0)
        #expect(await observed.wait { $0.models == ["x.onnx"] }, "\(observed.all)")
        try await Task.sleep(for: .milliseconds(150))
        #expect(observed.models == ["x.onnx"])
        #expect(await observed.stop())
    }

    @Test("files that were there before the start are told of")
    func before() async throws {
        let observed = try ObservedInbox()
        #expect(observed.shell("mkdir -p inbox/a/b && echo 1 | tee inbox/x.onnx inbox/a/b/y.onnx") == 0)
        observed.start(claiming: true)
        #expect(await observed.wait { Set($0.models) == ["x.onnx", "a/b/y.onnx"] }, "\(observed.all)")
        #expect(await observed.wait { $0.all.last == .idle })
        #expect(await observed.stop())
    }

    @Test("a slow writer that pauses longer than the delay with the file open is waited for")
    func slowWriter() async throws {
        let observed = try ObservedInbox()
        observed.start()
        #expect(await observed.waitForFirstScan())
        // Six pauses of 150 ms, each more than twice the delay.
        #expect(observed.shell("(for i in 1 2 3 4 5 6; do printf x; sleep 0.15; done) > inbox/x.onnx") == 0)
        #expect(await observed.wait { !$0.sets.isEmpty })
        #expect(observed.sets.map(\.model.status.size) == [6])
        #expect(await observed.stop())
    }

    @Test("a folder with a thousand models that is moved in gives each exactly once")
    func thousand() async throws {
        let observed = try ObservedInbox()
        observed.start(claiming: true)
        #expect(await observed.waitForFirstScan())
        #expect(
            observed.shell(
                "mkdir -p new/sub && for i in $(seq 500); do echo $i > new/$i.onnx; echo $i > new/sub/$i.onnx; done && mv new inbox/new"
            ) == 0)
        #expect(await observed.wait(seconds: 60) { $0.models.count >= 1000 }, "\(observed.models.count)")
        #expect(await observed.wait { $0.all.last == .idle })
        #expect(observed.models.count == 1000)
        #expect(Set(observed.models).count == 1000)
        #expect(Shell.run("find '\(observed.folder.path)/inbox' -type f | wc -l").output.contains("0\n"))
        #expect(Shell.run("find '\(observed.folder.path)/.work' -name '*.onnx' | wc -l").output == "1000\n")
        #expect(await observed.stop())
    }

    @Test("folders made one inside the other while files are put into them lose none")
    func nested() async throws {
        let observed = try ObservedInbox()
        observed.start(claiming: true)
        #expect(await observed.waitForFirstScan())
        #expect(
            observed.shell(
                "for i in $(seq 40); do mkdir -p inbox/a$i/b/c; echo 1 > inbox/a$i/b/c/x.onnx; echo 1 > inbox/a$i/y.onnx; done"
            ) == 0)
        #expect(await observed.wait { $0.models.count >= 80 }, "\(observed.models.count)")
        #expect(Set(observed.models).count == 80)
        #expect(observed.models.count == 80)
        #expect(await observed.stop())
    }

    @Test("weights that come before and after the model that names them are claimed with it", arguments: [true, false])
    func externalData(_ isFirst: Bool) async throws {
        let observed = try ObservedInbox(inspection: { model in
            model.name == "x.onnx" ? ["weights.bin"] : []
        })
        observed.start(claiming: true)
        #expect(await observed.waitForFirstScan())
        let (first, second) = isFirst ? ("weights.bin", "x.onnx") : ("x.onnx", "weights.bin")
        #expect(observed.shell("echo 1 > inbox/\(first) && sleep 0.2 && echo 22 > inbox/\(second)") == 0)
        #expect(await observed.wait { !$0.sets.isEmpty })
        #expect(observed.sets.map { $0.members.map(\.path) } == [["weights.bin", "x.onnx"]])
        #expect(observed.sets.allSatisfy { $0.missing.isEmpty })
        #expect(observed.shell("test -f .work/job1/source/weights.bin -a -f .work/job1/source/x.onnx") == 0)
        #expect(await observed.stop())
    }

    @Test("FIFO, socket, links, folder and device with a model's name are reported once and never waited for")
    func irregular() async throws {
        let observed = try ObservedInbox()
        observed.start()
        #expect(await observed.waitForFirstScan())
        #expect(
            observed.shell(
                "mkfifo inbox/f.onnx && ln -s /etc/passwd inbox/l.onnx && ln -s loop.onnx inbox/loop.onnx && mkdir inbox/d.onnx && echo 1 > good && mv good inbox/good.onnx"
            ) == 0)
        #expect(await observed.wait { $0.models == ["good.onnx"] && $0.all.last == .idle }, "\(observed.all)")
        observed.inbox.rescan()
        #expect(observed.shell("sleep 0.1; echo 1 > inbox/again.onnx") == 0)
        #expect(await observed.wait { $0.models.count == 2 })
        var kinds: [BytePath: [FileStatus.Kind]] = [:]
        for event in observed.all {
            if case .ignored(let path, .notRegular(let kind)) = event { kinds[path, default: []].append(kind) }
        }
        #expect(kinds == ["f.onnx": [.fifo], "l.onnx": [.link], "loop.onnx": [.link], "d.onnx": [.folder]])
        #expect(await observed.stop())
    }

    @Test("names that are not UTF-8, 255 bytes long, or full of quotes and newlines are told as they are")
    func oddNames() async throws {
        let observed = try ObservedInbox()
        observed.start(claiming: true)
        #expect(await observed.waitForFirstScan())
        let names: [BytePath] = [
            BytePath([0xFF, 0xFE, 0x20] + Array("x.onnx".utf8)), BytePath(String(repeating: "n", count: 250) + ".onnx"),
            "-rf.onnx", "a\nb.onnx", "q'\"`$x.onnx", "X.onnx", "x.onnx", "\u{202E}.onnx",
        ]
        for name in names {
            let descriptor = unsafe open(
                observed.layout.inbox.appending(name).cString, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            try #require(descriptor >= 0, "\(name)")
            var byte: UInt8 = 1
            #expect(unsafe write(descriptor, &byte, 1) == 1)
            close(descriptor)
        }
        #expect(await observed.wait { $0.sets.count == names.count }, "\(observed.models)")
        #expect(Set(observed.sets.map(\.model.path)) == Set(names))
        #expect(await observed.stop())
    }

    @Test("the folder removed and put back is watched again, and nothing is made in its place")
    func rootReturns() async throws {
        let observed = try ObservedInbox()
        observed.start(claiming: true)
        #expect(await observed.waitForFirstScan())
        #expect(observed.shell("mv inbox away") == 0)
        #expect(await observed.wait { $0.isDegraded }, "\(observed.all)")
        #expect(observed.shell("test -e inbox") == 1)
        #expect(observed.shell("echo 1 > away/x.onnx && mv away inbox && echo 1 > inbox/y.onnx") == 0)
        #expect(await observed.wait { Set($0.models) == ["x.onnx", "y.onnx"] }, "\(observed.all)")
        #expect(observed.shell("rm -r inbox && sleep 0.2 && mkdir inbox && echo 1 > inbox/z.onnx") == 0)
        #expect(await observed.wait { $0.models.count == 3 }, "\(observed.all)")
        #expect(await observed.stop())
    }

    @Test(
        "an unmounted file system leaves the inbox degraded until it is mounted again", .enabled(if: Privilege.mayMount)
    )
    func unmounted() async throws {
        let observed = try ObservedInbox()
        #expect(observed.shell("mount -t tmpfs -o size=1m rene-test inbox") == 0)
        defer { _ = observed.shell("umount -l inbox 2>/dev/null") }
        observed.start()
        // Only once a file of the mounted file system is told of is it that one which is watched.
        #expect(observed.shell("echo 1 > inbox/first.onnx") == 0)
        #expect(await observed.wait { $0.models == ["first.onnx"] })
        #expect(observed.shell("umount inbox && echo 1 > inbox/hidden.onnx") == 0)
        #expect(await observed.wait { $0.isDegraded }, "\(observed.all)")
        #expect(observed.shell("mount -t tmpfs -o size=1m rene-test inbox && echo 1 > inbox/x.onnx") == 0)
        #expect(await observed.wait { $0.models == ["first.onnx", "x.onnx"] }, "\(observed.all)")
        #expect(await observed.stop())
    }

    @Test("polling finds new files without any notification")
    func polling() async throws {
        var options = ObservedInbox.quick
        options.watch.mode = .polling
        let observed = try ObservedInbox(options)
        observed.start(claiming: true)
        #expect(await observed.waitForFirstScan())
        #expect(observed.all.contains(.state(.polling(nil))))
        #expect(observed.shell("mkdir inbox/a && echo 1 > inbox/a/x.onnx") == 0)
        #expect(await observed.wait { $0.models == ["a/x.onnx"] }, "\(observed.all)")
        #expect(await observed.stop())
    }

    @Test("a real shortage of watches is named and survived", .enabled(if: Self.grantedWatches < 100))
    func realWatchLimit() async throws {
        let observed = try ObservedInbox()
        #expect(observed.shell("mkdir -p inbox/1 inbox/2 inbox/3 inbox/4 inbox/5") == 0)
        observed.start(claiming: true)
        #expect(await observed.waitForFirstScan())
        let codes = observed.all.compactMap { if case .state(.polling(let error)) = $0 { error?.code } else { nil } }
        #expect(codes == ["watch.watch-limit"], "\(observed.all)")
        #expect(observed.shell("for i in 1 2 3 4 5; do echo $i > inbox/$i/x.onnx; done") == 0)
        #expect(await observed.wait { $0.models.count == 5 }, "\(observed.all)")
        #expect(await observed.stop())
    }

    /// The limit of this user namespace: lowered by whoever runs this test in one of its own.
    static var grantedWatches: Int {
        Int(Shell.run("cat /proc/sys/user/max_inotify_watches").output.filter(\.isNumber)) ?? .max
    }

    @Test("stopping, cancelling and dropping an inbox close all that it holds")
    func ends() async throws {
        func descriptors() -> Int {
            Shell.run("ls /proc/\(getpid())/fd | wc -l").output.split(separator: "\n").compactMap { Int($0) }.first
                ?? -1
        }
        let folder = try TemporaryFolder()
        let before = descriptors()
        for round in 0..<20 {
            let inbox = try Inbox(BytePath(folder.path), options: ObservedInbox.quick)
            let task = Task { await inbox.run { _ in } }
            if round % 2 == 0 { inbox.stop() } else { task.cancel() }
            await task.value
        }
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: .seconds(10))
        while descriptors() > before, clock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
        #expect(descriptors() <= before)
    }

    @Test("an error of the body ends the run and is passed on")
    func bodyThrows() async throws {
        struct Stop: Error {}
        let folder = try TemporaryFolder()
        let inbox = try Inbox(BytePath(folder.path), options: ObservedInbox.quick)
        await #expect(throws: Stop.self) {
            try await inbox.run { (_: InboxEvent) throws(Stop) in throw Stop() }
        }
    }
}

extension ObservedInbox {
    /// Whether the inbox is degraded now.
    var isDegraded: Bool {
        let states = all.compactMap { if case .state(let state) = $0 { state } else { nil } }
        if case .degraded = states.last { return true }
        return false
    }
}
