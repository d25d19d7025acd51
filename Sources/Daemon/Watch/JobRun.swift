internal import Conversion
internal import ConverterKit
internal import JobStore
internal import Logging
internal import Settings
internal import WatchFolder

/// One run of one job: worker, disposition, publication.
struct JobRun: Sendable {
    let context: DaemonContext
    let job: Job
    let claim: Claim
    let launch: WorkerLaunch
    let memory: MemoryPlan

    /// Runs the worker. Cancelling the task ends it.
    func work() async -> (outcome: WorkerOutcome, disposition: Disposition) {
        var outcome = await outcome()
        outcome.failure = outcome.failure.map { withShownPaths($0) }
        let history = AttemptHistory(attempts: job.attempts, plan: memory)
        return (outcome, launch.retryPolicy.disposition(of: outcome, history: history))
    }

    private func outcome() async -> WorkerOutcome {
        do {
            let layout = context.layout
            let folder = JobFolder(path: try JobClaim.text(claim.workFolder(in: layout)))
            let source = try JobClaim.text(claim.modelPath(in: layout))
            // Left by a run that was interrupted.
            try await Blocking.run { [claim] () throws(WatchError) in
                let work = try OpenFolder(claim.workFolder(in: layout))
                try work.remove("out")
            }
            let settings = context.settings.job(in: claim.folder.bytes)
            var conversion = settings.conversion
            conversion.threads = settings.threads ?? launch.plan.threads
            let sidecar = try claim.sidecar.map { try JobClaim.text(claim.source(in: layout).appending($0)) }
            let data = try claim.data.map { try JobClaim.text(claim.source(in: layout).appending($0)) }
            let shown = Converter.ShownPaths(
                source: claim.originalPath(in: layout).description,
                folder: layout.outbox.appending(claim.folder).description)
            let known = job.isForced ? [] : try await knownResults()
            let (store, id, name) = (context.store, job.id, claim.model.description)
            return await launch.run(
                ModelJob(
                    .convert, conversion: conversion, sidecar: sidecar, data: data, shown: shown, known: known),
                source: source,
                folder: folder,
                modelBytes: claim.modelBytes, memory: memory
            ) { [activity = context.activity] beat in
                activity.change { $0.running[id] = (name, beat) }
                // A report that is lost is made up for by the next.
                try? store.report(id, stage: beat.stage, fraction: Self.share(beat))
            }
        } catch let error as ConversionError {
            return WorkerOutcome(end: .exited(error.kind.exitStatus), failure: error)
        } catch let error as WatchError {
            return WorkerOutcome(end: .notStarted(ConversionError(error)))
        } catch {
            return WorkerOutcome(end: .stopped(.cancelled))
        }
    }

    /// What was published for the same content and settings before and looks as it was. Whether it is the same byte for
    /// byte the worker finds out.
    private func knownResults() async throws -> [KnownResult] {
        let job = job
        let twins = try await context.persist { store throws(StoreError) in try store.twins(of: job) }
        return await Blocking.run { [context] in
            twins.lazy.filter { PublishedFiles.arePresent($0.outputs, in: context.layout) }.prefix(1).compactMap {
                twin in
                let files = twin.outputs.compactMap { output in
                    (try? JobClaim.text(context.layout.root.appending(BytePath(output.path.bytes)))).map {
                        KnownResult.File(path: $0, sha256: output.sha256)
                    }
                }
                return files.count == twin.outputs.count ? KnownResult(files: files) : nil
            }
        }
    }

    /// The error with the names that people know, in place of those in the job's folder.
    private func withShownPaths(_ error: ConversionError) -> ConversionError {
        let here = claim.source(in: context.layout).description
        let there = context.layout.inbox.appending(claim.folder).description
        func shown(_ text: String) -> String {
            text.split(separator: here, omittingEmptySubsequences: false).joined(separator: there)
        }
        var error = error
        error.message = shown(error.message)
        error.site.file = error.site.file.map(shown)
        error.cause = error.cause.map(shown)
        return error
    }

    /// The share of the whole job, the stages taken as equally long.
    private static func share(_ beat: Beat) -> Double {
        let stages = Progress.Stage.allCases
        let index = stages.firstIndex { $0.rawValue == beat.stage } ?? 0
        return (Double(index) + beat.fraction) / Double(stages.count)
    }

    /// Publishes what the worker wrote. Throws `ConversionError` when it cannot be published.
    func publish() async throws {
        let folder = JobFolder(path: try JobClaim.text(claim.workFolder(in: context.layout)))
        guard let result = folder.result(as: ModelJobResult.self), !result.files.isEmpty else {
            throw ConversionError(
                "worker.no-result", .internal, "the worker's result cannot be read", remedy: "Report this.")
        }
        let target = try JobClaim.text(context.layout.outbox.appending(claim.folder))
        let outputs = result.files.map { file in
            OutputFile(
                path: JobClaim.relative(
                    context.layout.outbox.appending(claim.folder).appending(BytePath(file.name)), to: context.layout),
                sha256: file.sha256, bytes: file.bytes)
        }
        let facts = result.report.map { ResultFacts($0) }
        let (store, id) = (context.store, job.id)
        let replacing = job.isForced || context.settings.job(in: claim.folder.bytes).conversion.overwrite
        try await Blocking.run { [context, claim] () throws in
            _ = try OpenFolder(context.layout.outbox).folder(claim.folder, making: 0o777)
            try DurablePublisher(source: folder.output, target: target, replacing: replacing).publish(
                result.files.map { .init(name: $0.name, sha256: $0.sha256) },
                prepare: { try store.markPublishing(id, outputs: outputs, facts: facts) }, commit: {})
        }
        try await context.persist { store throws(StoreError) in try store.finish(id) }
        if let original = result.copyOf {
            context.logger.notice(
                "copied: the same content was converted before",
                metadata: ["model": "\(job.path)", "job": "\(id)", "copy_of": "\(original)"])
        }
        if result.isOwnOutput {
            context.logger.notice(
                "passed on: written by this program before", metadata: ["model": "\(job.path)", "job": "\(id)"])
        }
    }
}

extension ResultFacts {
    init(_ report: ReportSummary) {
        self.init(
            parametersBefore: report.parametersBefore, parametersAfter: report.parametersAfter,
            macsBefore: report.macsBefore, macsAfter: report.macsAfter, bytesBefore: report.bytesBefore,
            bytesAfter: report.bytesAfter)
    }
}
