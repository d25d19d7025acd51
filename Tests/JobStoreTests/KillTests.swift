import Glibc
import JobStore
import TestSupport
import Testing

/// A process that is killed while it writes loses nothing that a call has confirmed.
@Suite("Sudden death", .serialized)
struct KillTests {
    /// What a child does until it is killed: it works jobs off, and notes each confirmed change in a file.
    static func work(path: String, journal: String, seed: UInt64) throws {
        let file = unsafe open(journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        func note(_ text: String) {
            let line = Array((text + "\n").utf8)
            _ = unsafe write(file, line, line.count)
        }
        let store = try JobStore(path: path)
        for recovery in try store.recoverAtStart(attemptLimit: 1000) {
            switch recovery.action {
            case .requeue, .compareOutputs:
                try store.requeue(recovery.job.id, because: "crash", countingAttempt: true)
            case .quarantine: try store.fail(recovery.job.id, .bad)
            case .settle: try store.settle(recovery.job.id, location: nil)
            }
        }
        var number = 0
        while true {
            number += 1
            let name = "\(seed)-\(number)"
            guard case .enqueued(let added) = try store.enqueue(.named(name)) else { continue }
            note("enqueued \(added.id) \(name)")
            guard case .job(let job) = try store.claimNext(attemptLimit: 1000) else { continue }
            note("attempts \(job.id) \(job.attempts)")
            try store.report(job.id, stage: "search", fraction: 0.5)
            try store.save(
                Checkpoint(stage: "search", format: 1, contents: Array(repeating: 1, count: 3000)), of: job.id)
            try store.markPublishing(job.id, outputs: [.model], facts: .half)
            note("publishing \(job.id) -")
            try store.finish(job.id)
            note("done \(job.id) -")
            try store.settle(job.id, location: nil)
            note("settled \(job.id) -")
        }
    }

    @Test("fifty processes killed at random moments leave a sound store with every confirmed change")
    func randomKills() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/state.sqlite"
        let journal = folder.path + "/journal"
        var generator = SeededGenerator(seed: 5)
        var finished = 0
        for round in 0..<50 {
            let microseconds = UInt32.random(in: 0..<150_000, using: &generator)
            let seed = UInt64(round)
            await #expect(processExitsWith: .signal(SIGKILL), "round \(round), \(microseconds) µs, seed 5") {
                [
                    path = path as String, journal = journal as String, microseconds = microseconds as UInt32,
                    seed = seed as UInt64
                ] in
                Task.detached {
                    usleep(microseconds)
                    kill(getpid(), SIGKILL)
                }
                try KillTests.work(path: path, journal: journal, seed: seed)
            }
            let store = try JobStore(path: path)
            #expect(store.rebuilt == nil, "round \(round), \(microseconds) µs, seed 5")
            #expect(try store.integrityProblems().isEmpty, "round \(round), \(microseconds) µs, seed 5")
            defer { try? store.close() }
            finished = try Self.compare(store, with: folder, round: round)
        }
        #expect(finished > 5, "the children were killed before they did anything: \(finished) jobs")
    }

    /// Holds the store against the journal of confirmed changes; returns how many jobs are done.
    private static func compare(_ store: JobStore, with folder: TemporaryFolder, round: Int) throws -> Int {
        guard folder.entries.contains("journal") else { return 0 }
        let jobs = Dictionary(
            uniqueKeysWithValues: try store.list(JobFilter(limit: .max)).map { ($0.id.description, $0) })
        let lines = String(decoding: try folder.read("journal"), as: UTF8.self).split(separator: "\n")
        for line in lines {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 3, let job = jobs[words[1]] else {
                Issue.record("round \(round), seed 5: lost: \(line)")
                continue
            }
            switch words[0] {
            case "enqueued": #expect(job.sourceDigest == "sha-\(words[2])", "round \(round), seed 5: \(line)")
            case "attempts": #expect(job.attempts >= Int(words[2]) ?? .max, "round \(round), seed 5: \(line)")
            case "done": #expect(job.state == .done, "round \(round), seed 5: \(line)")
            case "settled": #expect(job.isSettled, "round \(round), seed 5: \(line)")
            default: #expect(words[0] == "publishing", "round \(round), seed 5: \(line)")
            }
        }
        return try store.counts()[.done] ?? 0
    }
}
