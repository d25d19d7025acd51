internal import Conversion
internal import ConverterKit
internal import Glibc
internal import Settings
internal import Synchronization
internal import WatchFolder

/// `rene batch`: every model below a folder, each in a worker process of its own, into a folder of the same shape.
public final class Batch: Sendable {
    /// Told of each model as it ends.
    public typealias EntryHandler = @Sendable (BatchEntry) -> Void

    private let options: BatchOptions
    private let onEntry: EntryHandler
    private let launch: WorkerLaunch
    private let admission: Mutex<WorkerAdmission>

    public init(_ options: BatchOptions, onEntry: @escaping EntryHandler) {
        var options = options
        options.source = Self.absolute(options.source)
        options.output = Self.absolute(options.output)
        self.options = options
        self.onEntry = onEntry
        var settings = DaemonSettings()
        settings.threads = options.threads
        settings.retryDelay = 1
        let plan = WorkerLaunch.plan(of: settings, jobs: options.jobs)
        launch = WorkerLaunch(settings: settings, plan: plan, extraArguments: options.workerArguments)
        admission = Mutex(WorkerAdmission(plan: plan))
    }

    /// Converts what is not done. Goes on after errors of single models, which the entries tell of; throws what makes all
    /// of it impossible. Cancelling the task ends the workers; what was not done is missing among the entries.
    public func run() async throws -> [BatchEntry] {
        let work = try await prepare()
        let path = BytePath(work)
        defer {
            if let parent = try? OpenFolder(path.parent) { try? parent.remove(path.name) }
        }
        let models = try await models(work)
        var entries: [BatchEntry] = []
        await withTaskGroup(of: BatchEntry?.self) { group in
            var waiting = models.enumerated().makeIterator()
            func startNext() {
                guard !Task.isCancelled, let (number, model) = waiting.next() else { return }
                group.addTask { await self.convert(model, number: number, work: work) }
            }
            for _ in 0..<launch.plan.workers { startNext() }
            for await entry in group {
                if let entry {
                    entries.append(entry)
                    onEntry(entry)
                }
                startNext()
            }
        }
        try Task.checkCancellation()
        entries.sort { $0.path < $1.path }
        try BatchSummary.write(entries, to: "\(options.output)/summary\(options.shard.suffix).csv")
        return entries
    }

    private static func absolute(_ path: String) -> String { WatchLayout(root: BytePath(path)).root.description }

    /// Makes the output folder and an empty work folder in it, which this run alone has.
    private func prepare() async throws -> String {
        do {
            guard FileStatus.of(BytePath(options.source))?.kind == .folder else {
                throw ConversionError(
                    "input.missing", .missingInput, "there is no folder \(options.source)",
                    remedy: "Name the folder of the models.", site: .init(file: options.source))
            }
            let output = try OpenFolder("/").folder(BytePath(String(options.output.drop { $0 == "/" })), making: 0o777)
            let name = BytePath(".rene-batch\(options.shard.suffix)")
            try output.remove(name)
            _ = try output.folder(name, making: 0o700)
            return options.output + "/" + name.description
        } catch let error as WatchError {
            throw ConversionError(
                "output.folder", .cannotCreateOutput, "the output folder cannot be made or written to",
                remedy: error.remedy, site: .init(file: options.output), cause: "\(error.message): \(error.cause ?? "")"
            )
        }
    }

    private func models(_ work: String) async throws -> [BytePath] {
        let folder = work + "/formats"
        let outcome = await run(ModelJob(.formats), source: "", folder: folder, bytes: 0, memory: .normal)
        guard let known = JobFolder(path: folder).result(as: ModelJobResult.self), !known.extensions.isEmpty else {
            throw outcome.failure
                ?? ConversionError(
                    "plugin.none", .pluginUnavailable, "no plugin that reads models was found",
                    remedy: "See `rene plugins`; name their folder by --plugin-path.")
        }
        let status = FileStatus.of(BytePath(options.output))
        let zoo = BatchZoo(
            folder: BytePath(options.source), filter: NameFilter(modelExtensions: known.extensions),
            excluded: status.map { ($0.device, $0.inode) })
        do {
            return try zoo.models().enumerated().filter { options.shard.takes($0.offset) }.map(\.element)
        } catch {
            throw ConversionError(error)
        }
    }

    private func run(
        _ job: ModelJob, source: String, folder: String, bytes: Int, memory: MemoryPlan
    ) async -> WorkerOutcome {
        let path = BytePath(folder)
        do {
            let parent = try OpenFolder(path.parent)
            try parent.remove(path.name)
            _ = try parent.folder(path.name, making: 0o700)
        } catch {
            return WorkerOutcome(end: .notStarted(ConversionError(error)))
        }
        return await launch.run(job, source: source, folder: JobFolder(path: folder), modelBytes: bytes, memory: memory)
    }

    /// `nil` when the run was cancelled.
    private func convert(_ model: BytePath, number: Int, work: String) async -> BatchEntry? {
        var entry = BatchEntry(path: model.description, status: .failed)
        let start = ContinuousClock.now
        do {
            let source = try JobClaim.text(BytePath(options.source).appending(model))
            let folder = try JobClaim.text(BytePath(options.output).appending(model.parent))
            let name = try JobClaim.text(model.name)
            let report = "\(folder)/\(name[..<(name.lastIndex(of: ".") ?? name.endIndex)]).report.json"
            let history = BatchHistory(settings: options.conversion)
            let finding = try await Blocking.run { () throws(ConversionError) in
                try history.finding(source: source, report: report)
            }
            if case .done(let report) = finding {
                entry.status = .skipped
                entry.report = report
                return entry
            }
            let isReplacing = options.conversion.overwrite || finding == .interrupted
            guard
                let result = try await attempt(
                    model, source: source, folder: folder, job: "\(work)/\(number)", replacing: isReplacing)
            else { return nil }
            entry.report = result.report
            let same = result.report.map { $0.parametersBefore == $0.parametersAfter && $0.macsBefore == $0.macsAfter }
            entry.status = same ?? true ? .unchanged : .converted
            entry.seconds = start.duration(to: .now) / .seconds(1)
        } catch {
            let known = error as? ConversionError ?? (error as? WatchError).map { ConversionError($0) }
            entry.error = BatchError(
                code: known?.code.name ?? "batch.unknown-error",
                message: known.map { $0.message + ($0.cause.map { ": \($0)" } ?? "") } ?? "\(error)",
                remedy: known?.remedy ?? "Report this with the model.")
        }
        return entry
    }

    /// Runs the worker until it is done or cannot be, and publishes. `nil` when cancelled.
    private func attempt(
        _ model: BytePath, source: String, folder: String, job: String, replacing: Bool
    ) async throws -> ModelJobResult? {
        let bytes = FileStatus.of(BytePath(source))?.size ?? 0
        var history = AttemptHistory(attempts: 0)
        while true {
            history.attempts += 1
            var conversion = options.conversion
            conversion.threads = options.threads ?? launch.plan.threads
            conversion.overwrite = false
            let shown = Converter.ShownPaths(source: source, folder: folder)
            let outcome = await run(
                ModelJob(.convert, conversion: conversion, isForced: true, shown: shown), source: source, folder: job,
                bytes: bytes,
                memory: history.plan)
            switch launch.retryPolicy.disposition(of: outcome, history: history) {
            case .done: return try await publish(model, job: job, folder: folder, replacing: replacing)
            case .interrupted: return nil
            case .quarantine(let error, _): throw error
            case .retry(let error, let delay, let plan, _):
                // Nobody watches over a batch that waits for room for ever.
                guard history.attempts < launch.retryPolicy.maxAttempts else { throw error }
                history.plan = plan
                guard (try? await Task.sleep(for: delay)) != nil else { return nil }
            }
        }
    }

    private func publish(
        _ model: BytePath, job: String, folder: String, replacing: Bool
    ) async throws -> ModelJobResult {
        guard let result = JobFolder(path: job).result(as: ModelJobResult.self), !result.files.isEmpty else {
            throw ConversionError(
                "worker.no-result", .internal, "the worker's result cannot be read", remedy: "Report this.")
        }
        let root = options.output
        try await Blocking.run { () throws in
            _ = try OpenFolder(BytePath(root)).folder(model.parent, making: 0o777)
            try DurablePublisher(source: JobFolder(path: job).output, target: folder, replacing: replacing).publish(
                result.files.map { .init(name: $0.name, sha256: $0.sha256) }, prepare: {}, commit: {})
            try OpenFolder(BytePath(job).parent).remove(BytePath(job).name)
        }
        return result
    }
}
