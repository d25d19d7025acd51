internal import Conversion
internal import ConverterKit
internal import Logging
internal import ServiceLifecycle
internal import Settings
internal import Synchronization
internal import WatchFolder

/// Watches the inbox and claims what is whole.
final class InboxService: Service {
    private let context: DaemonContext
    private let extensions: [String]
    private let inspector: ModelInspector
    private let claims: AsyncStream<Claim>.Continuation
    private let isEnding = Mutex(false)

    init(
        context: DaemonContext, extensions: [String], inspector: ModelInspector,
        claims: AsyncStream<Claim>.Continuation
    ) {
        self.context = context
        self.extensions = extensions
        self.inspector = inspector
        self.claims = claims
    }

    /// Begins the watch anew, with the settings that are in force now.
    func restart() { context.inbox?.stop() }

    func run() async throws {
        try await withTaskCancellationOrGracefulShutdownHandler {
            while !isEnding.withLock({ $0 }) {
                let inbox = try Inbox(
                    context.layout.inbox, options: inboxOptions, inspection: { await self.inspector.dataFiles(of: $0) })
                context.inbox = inbox
                if isEnding.withLock({ $0 }) { inbox.stop() }
                await inbox.run { await self.take($0, of: inbox) }
            }
            claims.finish()
        } onCancelOrGracefulShutdown: {
            self.isEnding.withLock { $0 = true }
            self.restart()
        }
    }

    private var inboxOptions: InboxOptions {
        let settings = context.settings
        let mode: WatchFolder.WatchOptions.Mode =
            switch settings.polling {
            case .auto: .automatic
            case .always: .polling
            case .never: .notifications
            }
        return InboxOptions(
            filter: NameFilter(modelExtensions: extensions),
            stability: StabilityPolicy(delay: .seconds(settings.stabilityDelay)),
            watch: .init(
                mode: mode, rescanInterval: .seconds(settings.rescanInterval),
                pollInterval: .seconds(settings.pollingInterval)))
    }

    private func take(_ event: InboxEvent, of inbox: Inbox) async {
        let logger = context.logger
        switch event {
        case .ready(let set): await claim(set, of: inbox)
        case .ignored(let path, let reason):
            logger.notice("left in the inbox", metadata: ["file": "\(path)", "reason": "\(reason)"])
        case .state(let state):
            let text = Self.text(state)
            context.activity.change { $0.watch = text ?? "" }
            if let text { logger.warning("\(text)") } else { logger.info("watching the inbox") }
        case .problem(let error):
            logger.warning("a problem with the inbox", metadata: ["code": "\(error.code)", "error": "\(error)"])
        case .idle: context.activity.change { $0.inboxIsIdle = true }
        }
    }

    /// What is not as it should be, in a few words.
    private static func text(_ state: WatchState) -> String? {
        switch state {
        case .watching, .polling(nil): nil
        case .polling(let error?): "polling the inbox: \(error.message) [\(error.code)]; \(error.remedy)"
        case .degraded(let error): "the inbox is lost: \(error.message) [\(error.code)]; \(error.remedy)"
        }
    }

    private func claim(_ set: ModelSet, of inbox: Inbox) async {
        let name = JobClaim.newName()
        context.activity.change { $0.intakes += 1 }
        do throws(WatchError) {
            let claim = try await Blocking.run { [context] () throws(WatchError) in
                try context.claimer.claim(set, job: name)
            }
            claims.yield(claim)
        } catch {
            context.activity.change { $0.intakes -= 1 }
            context.logger.notice(
                "not taken yet", metadata: ["model": "\(set.model.path)", "code": "\(error.code)", "error": "\(error)"])
            inbox.retry(set, after: error.disposition == .outdated ? .zero : .seconds(2))
        }
    }
}

/// Asks worker processes what models need beside them.
struct ModelInspector: Sendable {
    let context: DaemonContext

    /// The data files that the model names; none when it cannot be read, which its conversion will tell of.
    func dataFiles(of model: BytePath) async -> [BytePath] {
        guard let source = try? JobClaim.text(model),
            let result = await ask(ModelJob(.inspect), source: source, bytes: FileStatus.of(model)?.size ?? 0)
        else { return [] }
        return result.dataFiles.map { BytePath($0) }.filter(\.isPlainRelative)
    }

    /// The extensions of the formats that can be read.
    func extensions() async throws -> [String] {
        guard let result = await ask(ModelJob(.formats), source: "", bytes: 0), !result.extensions.isEmpty else {
            throw ConversionError(
                "plugin.none", .pluginUnavailable, "no plugin that reads models was found",
                remedy: "See `rene plugins`; name their folder by --plugin-path.")
        }
        return result.extensions
    }

    private func ask(_ job: ModelJob, source: String, bytes: Int) async -> ModelJobResult? {
        // Not a claim's folder: it begins with a dot, and recovery removes it.
        let name = BytePath(".inspect-" + JobClaim.newName())
        let path = context.layout.work.appending(name)
        let root = context.layout.work
        guard let text = try? JobClaim.text(path) else { return nil }
        let isMade = await Blocking.run { (try? OpenFolder(root).folder(name, making: 0o700)) != nil }
        guard isMade else { return nil }
        defer { try? OpenFolder(root).remove(name) }
        let folder = JobFolder(path: text)
        let plan = WorkerLaunch.plan(of: context.settings)
        let outcome = await context.launch(plan: plan).run(job, source: source, folder: folder, modelBytes: bytes)
        return outcome.end == .exited(0) ? folder.result(as: ModelJobResult.self) : nil
    }
}
