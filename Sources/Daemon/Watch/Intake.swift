internal import Conversion
internal import ConverterKit
internal import JobStore
internal import Logging
internal import ServiceLifecycle
internal import Settings
internal import WatchFolder

/// Turns claimed sets into jobs, one after the other: digests of the content, the settings of the folder, the row.
struct Intake: Service {
    let context: DaemonContext
    let claims: AsyncStream<Claim>
    /// Called when the queue has grown.
    let onEnqueued: @Sendable () -> Void

    func run() async throws {
        for await claim in claims.cancelOnGracefulShutdown() {
            do {
                try await take(claim)
            } catch is CancellationError {
                return
            }
            context.activity.change { $0.intakes -= 1 }
        }
        // The inbox ended first. A service may end only when it is its turn.
        try? await gracefulShutdown()
    }

    private func take(_ claim: Claim) async throws {
        let settings = context.settings.job(in: claim.folder.bytes)
        let layout = context.layout
        let (content, choice) = await Blocking.run {
            let source = claim.source(in: layout)
            let parts = [false, true].map { isSidecar in
                // What cannot be read is like nothing else; its run will tell why.
                (try? ContentDigest.of(claim.members.filter { ($0.role == .sidecar) == isSidecar }, in: source))
                    ?? claim.job
            }
            let digest = (try? settings.conversion.digest()) ?? claim.job
            return (parts[0], (try? SHA256.digest(of: Array((parts[1] + digest).utf8))) ?? claim.job)
        }
        let request = JobRequest(
            path: JobClaim.path(claim), sourceDigest: content, settingsDigest: choice,
            location: JobClaim.location(claim.job), priority: settings.priority)
        try await enqueue(request, claim)
    }

    private func enqueue(_ request: JobRequest, _ claim: Claim) async throws {
        var forced = false
        while true {
            let isForced = forced
            switch try await context.persist({ store throws(StoreError) in try store.enqueue(request, forced: isForced)
            })
            {
            case .enqueued(let job):
                context.logger.info("queued", metadata: ["job": "\(job.id)", "model": "\(job.path)"])
                onEnqueued()
                return
            case .duplicate(let job):
                // The same content under another name is wanted under that name, where its result is copied to, and a
                // result that was taken away from the outbox is wanted again.
                guard job.path == request.path,
                    job.state != .done || PublishedFiles.arePresent(job.outputs, in: context.layout)
                else {
                    forced = true
                    continue
                }
                try await passOver(claim, known: job)
                return
            }
        }
    }

    /// The same content of the same name is converted already, or on its way: this copy of it goes where sources go.
    private func passOver(_ claim: Claim, known job: Job) async throws {
        context.logger.notice(
            "passed over: the same model is converted already", metadata: ["model": "\(job.path)", "job": "\(job.id)"])
        try await context.move { [context] () throws(WatchError) in
            switch context.settings.source {
            case .done: try SourceKeeper(context.claimer).moveToDone(claim, stamp: claim.job)
            case .delete: try SourceKeeper(context.claimer).delete(claim)
            case .keep: _ = try Settlement.putBack(claim, context)
            }
            try context.claimer.discard(claim.job)
        }
    }
}

/// Results under their final names.
enum PublishedFiles {
    /// Whether all of a job's outputs are where they were put, in their sizes.
    static func arePresent(_ outputs: [OutputFile], in layout: WatchLayout) -> Bool {
        !outputs.isEmpty
            && outputs.allSatisfy { output in
                FileStatus.of(layout.root.appending(BytePath(output.path.bytes)))?.size == output.bytes
            }
    }
}

/// What makes two sets the same set.
enum ContentDigest {
    /// SHA-256 over the digests of the members with their names relative to the model; of a single file, the digest of
    /// the file itself.
    static func of(_ members: [Claim.Member], in folder: BytePath) throws -> String {
        let files = try members.map { member in
            (name: member.path.record, digest: try SHA256.digest(ofFile: JobClaim.text(folder.appending(member.path))))
        }
        if files.count == 1 { return files[0].digest }
        return try SHA256.digest(of: Array(files.map { "\($0.digest) \($0.name)\n" }.joined().utf8))
    }
}
