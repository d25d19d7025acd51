import JobStore
import TestSupport
import Testing

@Suite("Opening the store")
struct OpeningTests {
    private func sqlite(_ path: String, _ sql: String) throws {
        // The test must be able to write what this version of the store would not.
        let (output, status) = Shell.run("sqlite3 '\(path)' \"\(sql)\" 2>&1")
        try #require(status == 0, "sqlite3: \(output)")
    }

    @Test("it keeps a write-ahead log and synchronizes fully")
    func durability() throws {
        let fixture = try StoreFixture()
        let diagnostics = try fixture.store.diagnostics()
        #expect(diagnostics.journalMode == "wal")
        #expect(diagnostics.synchronous == 2)
        #expect(diagnostics.schema == ["1 jobs", "2 forced"])
    }

    @Test("a second daemon is refused while the first runs, and is told which process that is")
    func locked() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/state.sqlite"
        let first = try JobStore(path: path)
        #expect(first.rebuilt == nil)
        let error = storeError { _ = try JobStore(path: path) }
        #expect(error?.code == "store.locked")
        #expect(error?.kind.exitStatus == 75)
        #expect(error?.message.contains("process ") == true)
        try first.close()
        _ = try JobStore(path: path)
    }

    @Test("a store of a later version is refused with the status of a configuration error, and left as it is")
    func newerSchema() throws {
        let fixture = try StoreFixture()
        let folder = fixture.folder
        try fixture.add("model")
        try fixture.store.close()
        let path = folder.path + "/state.sqlite"
        try sqlite(path, "INSERT INTO grdb_migrations VALUES ('2 of the future')")
        let before = try folder.read("state.sqlite")
        for access in [JobStore.Access.owner, .visitor] {
            let error = storeError { _ = try JobStore(path: path, access: access) }
            #expect(error?.code == "store.newer-schema")
            #expect(error?.kind.exitStatus == 78)
        }
        #expect(try folder.read("state.sqlite") == before)
    }

    @Test("a command beside the daemon refuses a store that is missing or not yet up to date")
    func visitorRefusals() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/state.sqlite"
        #expect(storeError { _ = try JobStore(path: path, access: .visitor) }?.code == "store.missing")
        #expect(folder.entries.isEmpty)
        try sqlite(path, "CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
        #expect(storeError { _ = try JobStore(path: path, access: .visitor) }?.code == "store.older-schema")
    }

    @Test("another program's database is refused")
    func foreign() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/state.sqlite"
        try sqlite(path, "CREATE TABLE photos (name TEXT)")
        let error = storeError { _ = try JobStore(path: path) }
        #expect(error?.code == "store.foreign-database")
        #expect(error?.kind == .configuration)
    }

    @Test("a folder that is missing or not writable is named, with a remedy")
    func noFolder() throws {
        let folder = try TemporaryFolder()
        let error = storeError { _ = try JobStore(path: folder.path + "/none/state.sqlite") }
        #expect(error?.code == "store.cannot-open")
        #expect(error?.kind.exitStatus == 73)
        #expect(error?.remedy.isEmpty == false)
    }

    @Test("a store that another process keeps busy is a temporary error after a while")
    func busy() throws {
        let fixture = try StoreFixture()
        let hold = "(echo 'BEGIN IMMEDIATE;'; sleep 9) | sqlite3 '\(fixture.path)' >/dev/null 2>&1 & sleep 1"
        #expect(Shell.run(hold).status == 0)
        let begin = ContinuousClock.now
        let error = storeError { try fixture.add("model") }
        #expect(error?.code == "store.busy")
        #expect(error?.isTemporary == true)
        #expect(ContinuousClock.now - begin >= .seconds(JobStore.busyTimeout * 0.9))
        #expect(try fixture.store.queueDepth() == 0)
    }

    @Test("jobs are there after the store was closed and opened again")
    func reopening() throws {
        let fixture = try StoreFixture()
        let folder = fixture.folder
        try fixture.add("model")
        let jobs = try fixture.store.list()
        try fixture.store.close()
        let store = try JobStore(path: folder.path + "/state.sqlite")
        #expect(try store.list() == jobs)
        #expect(store.rebuilt == nil)
    }

    /// A closed store with 300 jobs, as bytes.
    private func closedStore() throws -> [UInt8] {
        let fixture = try StoreFixture()
        let folder = fixture.folder
        for number in 0..<300 { try fixture.add("model-\(number)") }
        try fixture.store.close()
        return try folder.read("state.sqlite")
    }

    @Test("a damaged store is moved aside whole and a new one begun, with an error to show")
    func damaged() throws {
        let healthy = try closedStore()
        var generator = SeededGenerator(seed: 11)
        var rebuilt = 0
        for round in 0..<24 {
            var bytes = healthy
            switch round % 3 {
            case 0: bytes.removeLast(Int.random(in: 1..<bytes.count, using: &generator))
            case 1:
                let start = Int.random(in: 0..<bytes.count - 64, using: &generator)
                for index in start..<start + 64 { bytes[index] = UInt8.random(in: 0...255, using: &generator) }
            default:
                // A whole page, never the last, as a lost write leaves it.
                let page = Int.random(in: 0..<bytes.count / 4096 - 1, using: &generator)
                for index in page * 4096..<page * 4096 + 4096 { bytes[index] = 0xa5 }
            }
            let folder = try TemporaryFolder()
            let path = try folder.write("state.sqlite", bytes)
            let store = try JobStore(path: path)
            #expect(try store.integrityProblems().isEmpty, "round \(round), seed 11")
            if let error = store.rebuilt {
                rebuilt += 1
                #expect(error.code == "store.corrupt", "round \(round), seed 11")
                let aside = try #require(folder.entries.first { $0.contains(".damaged-") && !$0.contains("-wal") })
                #expect(error.message.contains(aside), "round \(round), seed 11")
                #expect(try folder.read(aside) == bytes, "round \(round), seed 11")
                #expect(try store.list().isEmpty)
            }
            guard case .enqueued = try store.enqueue(.named("fresh"), forced: true) else {
                Issue.record("the new store does not work, round \(round), seed 11")
                return
            }
        }
        #expect(rebuilt > 15, "only \(rebuilt) of 24 damages were noticed, seed 11")
    }

    @Test("a file that never was a database is moved aside")
    func notADatabase() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            "state.sqlite", Array("not a database, but longer than a header is".utf8) + Array(repeating: 7, count: 9000)
        )
        let store = try JobStore(path: path)
        #expect(store.rebuilt?.code == "store.corrupt")
        #expect(try store.counts().values.allSatisfy { $0 == 0 })
    }

    @Test("a command beside the daemon reports damage and moves nothing")
    func visitorOfDamaged() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("state.sqlite", Array(repeating: 7, count: 9000))
        #expect(storeError { _ = try JobStore(path: path, access: .visitor) }?.code == "store.corrupt")
        #expect(folder.entries.filter { $0.contains("damaged") }.isEmpty)
    }
}

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
