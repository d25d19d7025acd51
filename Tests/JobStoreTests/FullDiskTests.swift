import JobStore
import TestSupport
import Testing

@Suite("A full disk")
struct FullDiskTests {
    /// Adds jobs until one is refused; returns how many were added and the error.
    private func fill(_ store: JobStore) throws -> (added: Int, error: StoreError?) {
        for number in 0..<100_000 {
            let error = storeError { _ = try store.enqueue(.named("model-\(number)")) }
            if error != nil { return (number, error) }
        }
        return (100_000, nil)
    }

    @Test("a store that reached its limit says so with a temporary error and loses nothing")
    func sizeLimit() throws {
        let fixture = try StoreFixture(sizeLimit: 256 << 10)
        let (added, error) = try fill(fixture.store)
        #expect(error?.code == "store.disk-full")
        #expect(error?.isTemporary == true)
        #expect(error?.kind.exitStatus == 75)
        #expect(added > 50)
        #expect(try fixture.store.queueDepth() == added)
        #expect(try fixture.store.integrityProblems().isEmpty)
    }

    static let canMount = Shell.run("unshare -m true 2>/dev/null").status == 0

    @Test(
        "on a disk without room changes fail as temporary, and go on when there is room again",
        .enabled(if: canMount, "needs the right to mount"))
    func fullFileSystem() throws {
        let folder = try TemporaryFolder()
        // The mount is this test's own and is gone with it.
        try #require(Shell.run("mount -t tmpfs -o size=1m rene-test '\(folder.path)'").status == 0)
        defer { _ = Shell.run("umount -l '\(folder.path)'") }
        let store = try JobStore(path: folder.path + "/state.sqlite")
        #expect(Shell.run("head -c 400K /dev/zero > '\(folder.path)/ballast'").status == 0)
        let (added, error) = try fill(store)
        #expect(error?.code == "store.disk-full", "\(error as Any)")
        #expect(error?.isTemporary == true)
        #expect(try store.queueDepth() == added)
        #expect(Shell.run("rm '\(folder.path)/ballast'").status == 0)
        guard case .enqueued = try store.enqueue(.named("after")) else {
            Issue.record("nothing can be added although there is room")
            return
        }
        #expect(try store.queueDepth() == added + 1)
        #expect(try store.integrityProblems().isEmpty)
    }
}
