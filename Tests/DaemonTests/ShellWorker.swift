import Daemon
import Glibc
import TestSupport

/// A shell script as a worker.
struct ShellWorker {
    let temporary: TemporaryFolder
    let folder: JobFolder

    init() throws {
        temporary = try TemporaryFolder()
        folder = JobFolder(path: temporary.path)
    }

    func process(
        _ script: String, heartbeat: Duration = .seconds(20), stage: Duration = .seconds(20), job: Duration? = nil,
        grace: Duration = .milliseconds(300)
    ) -> WorkerProcess {
        WorkerProcess(
            command: WorkerCommand(
                executable: "/bin/sh", arguments: ["-c", script],
                environment: ["PATH=/usr/bin:/bin", "JOB=\(temporary.path)"]),
            folder: folder, deadlines: StageDeadlines(other: stage, job: job), heartbeatTimeout: heartbeat,
            grace: grace)
    }

    func run(
        _ script: String, heartbeat: Duration = .seconds(20), stage: Duration = .seconds(20), job: Duration? = nil
    ) async -> WorkerOutcome {
        await process(script, heartbeat: heartbeat, stage: stage, job: job).run()
    }

    func text(_ name: String) -> String {
        (try? temporary.read(name)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Process ids that a script left in the file `name`.
    func processes(_ name: String) -> [Int32] { text(name).split(separator: "\n").compactMap { Int32($0) } }
}

/// Whether a process runs; one that has ended but was not reaped does not.
func isRunning(_ process: Int32) -> Bool {
    guard let stream = unsafe fopen("/proc/\(process)/stat", "re") else { return false }
    defer { unsafe fclose(stream) }
    var line = [CChar](repeating: 0, count: 512)
    guard unsafe fgets(&line, Int32(line.count), stream) != nil else { return false }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let state = text.split(separator: ")").last?.split(separator: " ").first
    return state != "Z" && state != "X"
}

/// Waits until `condition` holds.
func eventually(within time: Duration = .seconds(60), _ condition: () -> Bool) async -> Bool {
    let end = SuspendingClock.now + time
    while SuspendingClock.now < end {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return condition()
}
