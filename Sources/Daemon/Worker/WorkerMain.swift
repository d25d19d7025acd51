internal import CLinux
internal import ConverterKit
internal import Glibc

/// The worker's side of a job: `rene worker JOBFILE`.
public enum WorkerMain {
    /// Takes note of progress: stage, fraction 0…1, detail. Never waits; may be called from several threads.
    public typealias ProgressReport = @Sendable (_ stage: String, _ fraction: Double, _ detail: String) -> Void

    /// Runs the job of `jobFile`: limits this process, sends heartbeats, calls `convert`, and leaves `result.json` or
    /// `error.json` beside the job file.
    /// - Returns: the exit status: 0, or that of the error's kind.
    public static func run<Settings, Result: Encodable>(
        jobFile: String,
        convert: (WorkerJob<Settings>, @escaping ProgressReport) async throws -> Result
    ) async -> Int32 {
        let folder = JobFolder(path: String(jobFile[..<(jobFile.lastIndex(of: "/") ?? jobFile.startIndex)]))
        do {
            let job: WorkerJob<Settings> = try read(jobFile)
            try confine(job)
            let heart = HeartbeatSender()
            if let heart {
                CrashNote.install()
                heart.start { endGroup() }
            }
            defer { heart?.end() }
            let result = try await convert(job) { heart?.report(stage: $0, fraction: $1, detail: $2) }
            try SmallFile.replace(folder.resultFile, with: JSONText.encode(result))
            return 0
        } catch {
            return leave(error, in: folder)
        }
    }

    private static func read<Settings>(_ path: String) throws(ConversionError) -> WorkerJob<Settings> {
        guard let bytes = SmallFile.read(path, limit: JobFolder.limit) else {
            throw ConversionError(
                "worker.job-missing", .usage, "the job file \(path) cannot be read",
                remedy: "Workers are started by `rene watch` and `rene batch`; use `rene convert` by hand.",
                site: .init(file: path))
        }
        guard let job = JSONText.decode(WorkerJob<Settings>.self, from: bytes),
            job.format == WorkerJob<Settings>.currentFormat
        else {
            throw ConversionError(
                "worker.job-format", .internal, "the job file \(path) is not of this version's format",
                remedy: "Restart the daemon, so that it runs the same version as its workers.", site: .init(file: path))
        }
        return job
    }

    private static func confine<Settings>(_ job: WorkerJob<Settings>) throws(ConversionError) {
        if getpgrp() != getpid() { setpgid(0, 0) }
        if let supervisor = job.supervisor {
            _ = rene_set_parent_death_signal(SIGKILL)
            guard getppid() == supervisor else {
                throw ConversionError(
                    "worker.orphaned", .temporary, "the daemon ended before the worker began",
                    remedy: "Nothing to do: the job is taken up again at the daemon's next start.")
            }
        }
        signal(SIGPIPE, SIG_IGN)
        try job.limits.apply()
    }

    /// The daemon is gone: nobody would take the result, and it will start the job anew.
    private static func endGroup() {
        if getpgrp() == getpid() { kill(0, SIGKILL) }
        _exit(ConversionError.Kind.temporary.exitStatus)
    }

    private static func leave(_ error: any Error, in folder: JobFolder) -> Int32 {
        let known: ConversionError =
            switch error {
            case let error as ConversionError: error
            case is CancellationError:
                ConversionError(
                    "worker.cancelled", .temporary, "the conversion was cancelled",
                    remedy: "Nothing to do: the job is taken up again.")
            default:
                ConversionError(
                    "worker.unknown-error", .internal, "the conversion failed in an unforeseen way",
                    remedy: "Report this with the model.", cause: "\(error)")
            }
        if let bytes = try? JSONText.encode(WorkerFailure(known)) {
            try? SmallFile.replace(folder.errorFile, with: bytes)
        }
        return known.kind.exitStatus
    }
}
