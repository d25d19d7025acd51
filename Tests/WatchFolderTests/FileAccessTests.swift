import Glibc
import TestSupport
import Testing
import WatchFolder

@Suite("Access to files")
struct FileAccessTests {
    let folder: TemporaryFolder
    let probe: FolderProbe

    init() throws {
        folder = try TemporaryFolder()
        probe = FolderProbe(root: BytePath(folder.path))
        try folder.write("x", [1, 2, 3])
    }

    @Test("a file nobody writes to is free, also while others read it")
    func free() async {
        #expect(await becomesFree())
        let reader = unsafe open(folder.path + "/x", O_RDONLY | O_CLOEXEC)
        #expect(await becomesFree())
        close(reader)
    }

    @Test("a file that is open for writing, or mapped so, is held until it is closed")
    func held() async {
        let writer = unsafe open(folder.path + "/x", O_RDWR | O_CLOEXEC)
        #expect(probe.access(to: "x") == .held)
        let page = unsafe mmap(nil, 3, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0)
        close(writer)
        #expect(probe.access(to: "x") == .held)
        unsafe munmap(page, 3)
        #expect(await becomesFree())
    }

    /// Children that other tests start at the same time hold all files of this process open until they run their program.
    func becomesFree() async -> Bool {
        for _ in 0..<2000 {
            if probe.access(to: "x") == .free { return true }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return false
    }

    @Test(
        "what is not a regular file, or not there, is gone, at once",
        arguments: [
            "mkfifo y", "mkdir y", "ln -s x y", "ln -s y y", "true", "mknod y c 5 0",
        ])
    func gone(_ command: String) {
        _ = Shell.run("cd '\(folder.path)' && \(command)")
        #expect(probe.access(to: "y") == .gone)
    }

    @Test("a file that the user of the service may not read is denied")
    func denied() throws {
        #expect(Shell.run("chmod 0 '\(folder.path)/x' && chmod 755 '\(folder.path)'").status == 0)
        let probe = probe
        let access = try Self.unprivileged { probe.access(to: "x") }
        #expect(access == .denied(EACCES))
    }

    /// Runs `body` on a thread with no rights of root, if this process has them.
    static func unprivileged(_ body: @escaping () -> FileAccess) throws -> FileAccess {
        final class Box {
            let body: () -> FileAccess
            var result: FileAccess?
            init(_ body: @escaping () -> FileAccess) { self.body = body }
        }
        let box = Box(body)
        var thread = pthread_t()
        let made = unsafe pthread_create(
            &thread, nil,
            { context in
                let box = unsafe Unmanaged<Box>.fromOpaque(context!).takeUnretainedValue()
                // The user for file system calls belongs to the thread.
                typealias Call = @convention(c) (UInt32) -> Int32
                if geteuid() == 0, let symbol = unsafe dlsym(nil, "setfsuid") {
                    _ = unsafe unsafeBitCast(symbol, to: Call.self)(65534)
                }
                box.result = box.body()
                return nil
            }, Unmanaged.passUnretained(box).toOpaque())
        try #require(made == 0)
        pthread_join(thread, nil)
        return try #require(box.result)
    }
}
