internal import Conversion
internal import ConverterKit
internal import Glibc
internal import JobStore
internal import Logging
internal import Settings
internal import WatchFolder

/// Brings rows and folders into agreement before anything else happens.
struct StartRecovery: Sendable {
    let context: DaemonContext

    /// Returns claims that have no row yet, to be taken in.
    func run() async throws -> [Claim] {
        let attempts = context.settings.attempts
        let list = try await context.persist { store throws(StoreError) in
            try store.recoverAtStart(attemptLimit: attempts)
        }
        for recovery in list {
            do {
                try await recover(recovery)
            } catch let error as WatchError {
                // One job whose files cannot be brought to their place keeps nothing else from running.
                context.logger.error(
                    "a job could not be taken up", metadata: ["job": "\(recovery.job.id)", "error": "\(error)"])
            }
        }
        return try await leftovers()
    }

    private func recover(_ recovery: Recovery) async throws {
        let job = recovery.job
        context.logger.notice(
            "taken up after an interruption", metadata: ["job": "\(job.id)", "model": "\(job.path)"])
        switch recovery.action {
        case .requeue:
            try await context.persist { store throws(StoreError) in
                try store.requeue(job.id, because: "the daemon was interrupted", countingAttempt: true)
            }
        case .quarantine:
            let failure = JobFailure(
                code: "job.attempts-exhausted",
                message: "the conversion was begun \(job.attempts) times and never came to an end",
                remedy: "See the job's log; after the cause is gone, run `rene jobs retry \(job.id)`.", exitStatus: 70)
            try await context.persist { store throws(StoreError) in try store.fail(job.id, failure) }
            try await Settlement(context: context).settle(job.id)
        case .settle: try await Settlement(context: context).settle(job.id)
        case .compareOutputs: try await compare(job)
        }
    }

    /// A publication that was interrupted is finished when all of it is there, else taken back and done anew.
    private func compare(_ job: Job) async throws {
        let root = context.layout.root
        await Blocking.run {
            for output in job.outputs {
                let path = root.appending(BytePath(output.path.bytes))
                try? OpenFolder(path.parent).remove(path.name.temporaryName)
            }
        }
        let present = await Blocking.run {
            job.outputs.filter { output in
                let path = root.appending(BytePath(output.path.bytes))
                guard FileStatus.of(path)?.kind == .file, let text = try? JobClaim.text(path) else { return false }
                return (try? SHA256.digest(ofFile: text)) == output.sha256
            }
        }
        if present.count == job.outputs.count {
            // The renames may not have reached the disk.
            try await context.move { () throws(WatchError) in
                for folder in Set(job.outputs.map { root.appending(BytePath($0.path.bytes)).parent }) {
                    try OpenFolder(folder).synchronize()
                }
            }
            try await context.persist { store throws(StoreError) in try store.finish(job.id) }
            try await Settlement(context: context).settle(job.id)
            return
        }
        try await context.move { () throws(WatchError) in
            for output in present {
                let path = root.appending(BytePath(output.path.bytes))
                let folder = try OpenFolder(path.parent)
                try folder.remove(path.name)
                try folder.synchronize()
            }
        }
        try await context.persist { store throws(StoreError) in
            try store.requeue(job.id, because: "the publication was interrupted", countingAttempt: true)
        }
    }

    /// Folders in `.work` that no open row names: claims without a row yet, claims that were interrupted, and what is
    /// left of jobs that have ended.
    private func leftovers() async throws -> [Claim] {
        let states: Set<JobState> = [.queued, .waiting]
        let open = try await context.persist { store throws(StoreError) in
            try store.list(JobFilter(states: states, limit: .max))
        }
        let known = Set(open.compactMap { JobClaim.name($0.location) })
        return try await Blocking.run { [context] () throws(WatchError) in
            var claims: [Claim] = []
            for name in try context.claimer.jobs() where !known.contains(name) {
                if let claim = try context.claimer.claim(of: name) {
                    if context.claimer.isComplete(claim) {
                        try context.claimer.removeOriginals(of: claim)
                        claims.append(claim)
                    } else {
                        try context.claimer.undo(claim)
                    }
                } else {
                    try context.claimer.discard(name)
                }
            }
            return claims
        }
    }
}

/// Finds the files of a job that is about to run.
struct JobRestoration: Sendable {
    let context: DaemonContext

    /// The job's claim; `nil` when its files are gone. A job that is run again after it had ended has its files in
    /// `failed`, or its one file in `done`: they are taken back from there.
    func claim(of job: Job) async throws -> Claim? {
        if let name = JobClaim.name(job.location) {
            return try await context.move { [context] () throws(WatchError) in try context.claimer.claim(of: name) }
        }
        guard let location = job.location else { return nil }
        let folder = context.layout.root.appending(BytePath(location.bytes))
        let path = BytePath(job.path.bytes)
        let name = JobClaim.newName()
        let claim = try await context.move { [context] () throws(WatchError) -> Claim? in
            if folder.isWithin(context.layout.done), FileStatus.of(folder)?.kind == .file {
                return try context.claimer.claim(done: folder, model: path, job: name)
            }
            guard folder.isWithin(context.layout.failed), FileStatus.of(folder.appending(path.name))?.kind == .file
            else { return nil }
            return try context.claimer.claim(
                failed: folder, model: path, notes: ["error.json", "log.txt"], job: name)
        }
        guard claim != nil else { return nil }
        let place = JobClaim.location(name)
        try await context.persist { store throws(StoreError) in try store.move(job.id, to: place) }
        return claim
    }
}
