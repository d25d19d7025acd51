internal import ConverterKit
internal import JobStore
public import Logging
internal import ServiceLifecycle
internal import Settings
internal import UnixSignals
internal import WatchFolder

/// `rene watch`: services around one folder.
public enum WatchDaemon {
    /// Runs until a signal ends it, or with `once` until nothing is left to do.
    ///
    /// - Returns: the number of jobs that failed since the start.
    public static func run(_ options: WatchOptions, logger: Logger) async throws -> Int {
        let settings = try DaemonContext.readSettings(options)
        var logger = logger
        logger.logLevel = Logger.Level(rawValue: settings.logLevel.rawValue) ?? .info
        let layout = WatchLayout(root: BytePath(options.root))
        let context: DaemonContext
        do {
            let elsewhere = try layout.prepare(allowingCopies: true).map(\.rawValue).sorted()
            if !elsewhere.isEmpty {
                logger.notice(
                    "these folders are on other file systems than .work: files are copied to and from them",
                    metadata: ["folders": "\(elsewhere.joined(separator: ", "))"])
            }
            let store = try JobStore(path: try JobClaim.text(layout.root.appending("state.sqlite")))
            if let rebuilt = store.rebuilt { logger.critical("\(rebuilt)") }
            context = DaemonContext(
                options: options, layout: layout, store: store, settings: settings, logger: logger)
        } catch let error as WatchError {
            throw ConversionError(error)
        } catch let error as StoreError {
            throw ConversionError(error)
        }
        do {
            try await serve(context)
        } catch let error as WatchError {
            throw ConversionError(error)
        } catch let error as StoreError {
            throw ConversionError(error)
        }
        try? context.store.close()
        return context.activity.now.failures
    }

    private static func serve(_ context: DaemonContext) async throws {
        let notifier = ServiceNotifier()
        let recovered = try await StartRecovery(context: context).run()
        let inspector = ModelInspector(context: context)
        let extensions = try await inspector.extensions()
        let (claims, intake) = AsyncStream.makeStream(of: Claim.self)
        context.activity.change { $0.intakes = recovered.count }
        for claim in recovered { intake.yield(claim) }
        let dispatcher = Dispatcher(context: context)
        let inbox = InboxService(context: context, extensions: extensions, inspector: inspector, claims: intake)
        // Ended in the reverse order: first nothing new comes in, then what runs comes to its end.
        let services: [any Service] = [
            ControlService(context: context, dispatcher: dispatcher, inbox: inbox, notifier: notifier),
            dispatcher,
            Intake(context: context, claims: claims) { dispatcher.poke() },
            inbox,
        ]
        var logger = context.logger
        logger.logLevel = max(logger.logLevel, .warning)
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger)
        // Goes on to the last, so that the watchdog hears from a daemon that drains.
        configuration.services.insert(
            .init(
                service: StatusService(context: context, dispatcher: dispatcher, notifier: notifier),
                successTerminationBehavior: .gracefullyShutdownGroup), at: 0)
        context.logger.notice("ready", metadata: ["root": "\(context.layout.root)"])
        notifier.ready(status: "watching \(context.layout.inbox)")
        try await ServiceGroup(configuration: configuration).run()
        context.logger.notice("stopped")
    }
}

extension ConversionError {
    /// The same in the words of this program's other errors.
    init(_ error: StoreError) {
        self.init(
            .init(error.code), Kind(rawValue: error.kind.exitStatus) ?? .internal, error.message,
            remedy: error.remedy, site: .init(file: error.file), cause: error.cause)
    }
}
