internal import ConverterKit
internal import Glibc
internal import JobStore
internal import Logging
internal import Settings
internal import WatchFolder

/// Brings the files of ended jobs to their last place. Each step may be repeated after an interruption.
struct Settlement: Sendable {
    let context: DaemonContext

    /// Moves, keeps or deletes the source of a job that is done, failed or cancelled, tells the store, and removes the
    /// job's folder: in this order, so that a crash in between loses nothing.
    func settle(_ id: JobID) async throws {
        let job = try await context.persist { store throws(StoreError) in try store.show(id) }
        guard job.state.isFinal, let name = JobClaim.name(job.location) else { return }
        let claim = try await context.move { [context] () throws(WatchError) in try context.claimer.claim(of: name) }
        var location: JobPath?
        if let claim {
            location = try await context.move { [self] () throws(WatchError) in try bring(claim, of: job) }
                .map { JobClaim.relative($0, to: context.layout) }
        }
        let place = location
        try await context.persist { store throws(StoreError) in try store.settle(id, location: place) }
        try await context.move { [context] () throws(WatchError) in try context.claimer.discard(name) }
    }

    /// Puts a source back into the inbox, which leaves it alone until it changes.
    static func putBack(_ claim: Claim, _ context: DaemonContext) throws(WatchError) -> BytePath? {
        guard let inbox = context.inbox else { return try context.claimer.undo(claim).last }
        return try SourceKeeper(context.claimer).leave(claim, in: inbox).last
    }

    /// The place of the source afterwards; `nil` when it was deleted.
    private func bring(_ claim: Claim, of job: Job) throws(WatchError) -> BytePath? {
        let keeper = SourceKeeper(context.claimer)
        let stamp = JobClaim.stamp(of: job)
        guard job.state == .done else {
            return try keeper.quarantine(
                claim, stamp: stamp, notes: [.init(name: "error.json", bytes: ErrorNote.bytes(of: job))],
                files: ["log.txt"])
        }
        switch context.settings.source {
        case .done:
            return try keeper.moveToDone(claim, stamp: stamp).last
        case .delete:
            try keeper.delete(claim)
            return nil
        case .keep:
            return try Self.putBack(claim, context).map { context.layout.inbox.appending($0) }
        }
    }
}

/// `failed/NAME/error.json`.
enum ErrorNote {
    private struct Note: Encodable {
        var job: Int64
        var model: String
        var state: String
        var attempts: Int
        var code: String
        var message: String
        var remedy: String
        var site: String?
        var exitStatus: Int32?
        var finished: String?

        enum CodingKeys: String, CodingKey {
            case job, model, state, attempts, code, message, remedy, site, finished
            case exitStatus = "exit_status"
        }
    }

    static func bytes(of job: Job) -> [UInt8] {
        let failure =
            job.failure
            ?? JobFailure(
                code: "job.cancelled", message: "the job was cancelled", remedy: "Run `rene jobs retry \(job.id)`.")
        let note = Note(
            job: job.id.number, model: job.path.description, state: job.state.rawValue, attempts: job.attempts,
            code: failure.code, message: failure.message, remedy: failure.remedy, site: failure.site,
            exitStatus: failure.exitStatus, finished: job.finished?.description)
        return (try? JSONText.encode(note)) ?? []
    }
}
