import Glibc
import JobStore
import TestSupport
import Testing

private let canMount =
    Shell.run("d=$(mktemp -d) && mount -t tmpfs x $d && umount $d && rmdir $d 2>/dev/null").status == 0

/// The real daemon with its folders on file systems of their own, full, lost, or without notifications.
@Suite("File systems", .serialized, .enabled(if: canMount))
struct FileSystemTests {
    /// A root with small file systems in the places named, taken away with it.
    final class Mounted {
        let root: WatchedRoot
        let places: [String]

        init(_ places: [String], settings: String = "", size: String = "4m", at path: String? = nil) throws {
            root = try WatchedRoot(settings: settings, at: path)
            self.places = places
            for place in places {
                let path = "\(root.path)/\(place)"
                mkdir(path, 0o755)
                guard Shell.run("mount -t tmpfs -o size=\(size) rene-test '\(path)'").status == 0 else {
                    throw Program.Failure(what: "mount \(path)")
                }
            }
        }

        deinit {
            for place in places { _ = Shell.run("umount -l '\(root.path)/\(place)'") }
        }
    }

    @Test("files are copied where the folders are on file systems of their own, and each model is converted once")
    func apart() throws {
        let mounted = try Mounted(["inbox", "outbox", "done", "failed"])
        let root = mounted.root
        let daemon = try root.start()
        #expect(Wait.until { root.log.contains("watching") })
        #expect(root.log.contains("folders=\"done, failed, inbox, outbox\""), "\(root.log)")
        for index in 0..<8 {
            try root.stage("m\(index)", GeneratedModel.small(seed: UInt64(index)))
            _ = Shell.run("cd '\(root.path)' && cp staging/m\(index) inbox/m\(index).onnx")
        }
        try root.stage("bad", Array(GeneratedModel.small(seed: 9).dropLast(50)))
        _ = Shell.run("cd '\(root.path)' && cp staging/bad inbox/bad.onnx")
        #expect(Wait.until { root.files("done").count == 8 && root.has("failed/bad/error.json") }, "\(root.log)")
        for index in 0..<8 { #expect(root.isPublished("m\(index)")) }
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
        #expect(root.files("outbox").count == 24 && root.files("inbox") == [] && root.files(".work") == [])
        #expect(try root.jobs().count == 9)
    }

    @Test(
        "a job waits while a folder is full, says so, and goes on when there is room",
        arguments: [".work", "outbox", "done", "failed", "inbox"])
    func full(place: String) throws {
        // A source that is kept needs room in the inbox again.
        let mounted = try Mounted([place], settings: place == "inbox" ? "source: keep\n" : "")
        let root = mounted.root
        let daemon = try root.start()
        #expect(Wait.until { root.log.contains("watching") })
        let model = GeneratedModel.small(seed: 1)
        let name = place == "failed" ? "bad" : "a"
        let bytes = place == "failed" ? Array(model.dropLast(50)) : model
        if place == "inbox" {
            try root.stage("a", bytes)
            daemon.signal(SIGSTOP)
            _ = Shell.run("cd '\(root.path)' && cp staging/a inbox/a.onnx")
            // What takes the room that the claim sets free.
            try root.stage("filler", [UInt8](repeating: 1, count: 1 << 20))
            daemon.signal(SIGCONT)
            #expect(
                Wait.until {
                    guard !root.has("inbox/a.onnx") else { return false }
                    _ = Shell.run("dd if=/dev/zero of='\(root.path)/inbox/.filler' bs=1k status=none 2>/dev/null")
                    return true
                }, "\(root.log)")
        } else {
            _ = Shell.run("dd if=/dev/zero of='\(root.path)/\(place)/.filler' bs=1k status=none 2>/dev/null")
            try root.drop("\(name).onnx", bytes)
        }
        if place != "inbox" {
            #expect(Wait.until { root.log.contains("no-space") }, "\(root.log)")
            usleep(700_000)
            #expect(!(root.isPublished("a") && root.has("done/a.onnx")) && !root.has("failed/bad"), "\(root.log)")
            #expect(try root.jobs([.failed]).isEmpty || place == "failed")
        }
        unlink("\(root.path)/\(place)/.filler")
        switch place {
        case "failed": #expect(Wait.until { root.has("failed/bad/error.json") && root.has("failed/bad/bad.onnx") })
        case "inbox": #expect(Wait.until { root.isPublished("a") && root.has("inbox/a.onnx") }, "\(root.log)")
        default: #expect(Wait.until { root.isPublished("a") && root.has("done/a.onnx") }, "\(root.log)")
        }
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0, "\(root.log)")
        #expect(root.files(".work").isEmpty, "\(root.files(".work"))")
        #expect(try root.jobs().count == 1)
    }

    @Test("jobs wait while the disk of the job store is full, and go on when there is room")
    func fullStore() throws {
        let disk = try TemporaryFolder()
        #expect(Shell.run("mount -t tmpfs -o size=4m rene-test '\(disk.path)'").status == 0)
        defer { _ = Shell.run("umount -l '\(disk.path)'") }
        let places = ["inbox", "outbox", "done", "failed", ".work", "staging"]
        let mounted = try Mounted(places, at: disk.path + "/root")
        let root = mounted.root
        let daemon = try root.start()
        #expect(Wait.until { root.log.contains("watching") })
        try root.stage("a", GeneratedModel.small(seed: 1))
        _ = Shell.run("dd if=/dev/zero of='\(disk.path)/filler' bs=1k status=none 2>/dev/null")
        _ = Shell.run("cd '\(root.path)' && cp staging/a inbox/a.onnx")
        #expect(Wait.until { root.log.contains("store.disk-full") }, "\(root.log)")
        #expect(!root.has("outbox/a.onnx") && root.files("failed").isEmpty, "\(root.log)")
        unlink(disk.path + "/filler")
        #expect(Wait.until { root.isPublished("a") && root.has("done/a.onnx") }, "\(root.log)")
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
        #expect(try root.integrityProblems() == [])
    }

    @Test("the inbox unmounted and mounted again is told of, and nothing is lost or made in its place")
    func unmounted() throws {
        let mounted = try Mounted(["inbox"], settings: "rescan_interval: 1\n")
        let root = mounted.root
        let daemon = try root.start()
        #expect(Wait.until { root.log.contains("watching") })
        try root.stage("a", GeneratedModel.small(seed: 1))
        #expect(Shell.run("umount -l '\(root.path)/inbox'").status == 0)
        #expect(Wait.until { root.log.contains("the inbox is lost") }, "\(root.log)")
        #expect(root.log.contains("watch.folder-unmounted"), "\(root.log)")
        #expect(Shell.run("mount -t tmpfs rene-test '\(root.path)/inbox'").status == 0)
        _ = Shell.run("cd '\(root.path)' && cp staging/a inbox/a.onnx")
        #expect(Wait.until { root.isPublished("a") && root.has("done/a.onnx") }, "\(root.log)")
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test("the inbox moved away and put back with more in it is told of, and nothing is lost")
    func movedAway() throws {
        let root = try WatchedRoot(settings: "rescan_interval: 1\n")
        let daemon = try root.start()
        #expect(Wait.until { root.log.contains("watching") })
        rename("\(root.path)/inbox", "\(root.path)/away")
        #expect(Wait.until { root.log.contains("the inbox is lost") }, "\(root.log)")
        try root.stage("a", GeneratedModel.small(seed: 1))
        rename("\(root.path)/staging/a", "\(root.path)/away/a.onnx")
        #expect(!root.has("inbox"))
        rename("\(root.path)/away", "\(root.path)/inbox")
        #expect(Wait.until { root.isPublished("a") && root.has("done/a.onnx") }, "\(root.log)")
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test(
        "without a watch left the inbox is polled, the limit is named, and nothing is lost",
        // Not everywhere may a user namespace be made; in a changed root the kernel refuses.
        .enabled(
            if: Shell.run("unshare -Ur sh -c 'echo 1 > /proc/sys/user/max_inotify_watches' 2>/dev/null").status == 0))
    func watchLimit() throws {
        let root = try WatchedRoot(settings: "polling_interval: 0.2\n")
        try root.drop("a.onnx", GeneratedModel.small(seed: 1))
        mkdir("\(root.path)/inbox/sub", 0o755)
        try root.stage("b", GeneratedModel.small(seed: 2))
        rename("\(root.path)/staging/b", "\(root.path)/inbox/sub/b.onnx")
        let command =
            "unshare -Ur sh -c 'echo 1 > /proc/sys/user/max_inotify_watches; exec \"\(Program.path)\" watch \"\(root.path)\" "
            + "--config \"\(root.settingsPath)\" --once' 2>&1"
        let (output, status) = Shell.run(command)
        #expect(status == 0, "\(output)")
        #expect(output.contains("watch.watch-limit") && output.contains("max_user_watches"), "\(output)")
        #expect(root.isPublished("a") && root.isPublished("sub/b"), "\(output)")
    }
}
