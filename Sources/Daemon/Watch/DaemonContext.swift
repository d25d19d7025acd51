internal import Conversion
internal import ConverterKit
internal import Decompositions
internal import JobStore
internal import Logging
internal import RankSearch
internal import Settings
internal import Synchronization
internal import WatchFolder

/// Where the daemon works and with what; fixed from start to end.
public struct WatchOptions: Sendable {
    /// The folder that holds `inbox` and the others.
    public var root: String
    /// The settings file.
    public var configuration: String?
    /// Ends when there is nothing left to do.
    public var once: Bool
    /// Further arguments of the workers.
    public var workerArguments: [String]

    public init(root: String, configuration: String? = nil, once: Bool = false, workerArguments: [String] = []) {
        self.root = root
        self.configuration = configuration
        self.once = once
        self.workerArguments = workerArguments
    }
}

/// What the services share.
final class DaemonContext: Sendable {
    let options: WatchOptions
    let layout: WatchLayout
    let store: JobStore
    let claimer: Claimer
    let logger: Logger
    let activity = Activity()
    private let current: Mutex<DaemonSettings>
    private let watched = Mutex<Inbox?>(nil)

    init(
        options: WatchOptions, layout: WatchLayout, store: JobStore, settings: DaemonSettings, logger: Logger
    ) {
        self.options = options
        self.layout = layout
        self.store = store
        self.logger = logger
        claimer = Claimer(layout: layout, allowsCopies: true)
        current = Mutex(settings)
    }

    /// The settings in force.
    var settings: DaemonSettings {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }

    /// The inbox that is being watched.
    var inbox: Inbox? {
        get { watched.withLock { $0 } }
        set { watched.withLock { $0 = newValue } }
    }

    /// A launch with the settings in force.
    func launch(plan: WorkerPlan) -> WorkerLaunch {
        WorkerLaunch(settings: settings, plan: plan, extraArguments: options.workerArguments)
    }

    /// Reads all layers of the settings anew.
    static func readSettings(_ options: WatchOptions) throws(ConversionError) -> DaemonSettings {
        let file: SettingsFile? =
            if let path = options.configuration { try .load(path: path, vocabulary: vocabulary) } else { nil }
        return try DaemonSettings(
            file: file, environment: EnvironmentVariables.settings, vocabulary: vocabulary)
    }

    /// The names that settings may have, but for formats: those are known to plugins, which only workers load.
    static let vocabulary = SettingsVocabulary(
        decompositions: Set(DecompositionRegistry.all.map { $0.id }), searches: Set(SearchRegistry.all.map { $0.id }),
        stages: Set(Progress.Stage.allCases.map(\.rawValue)))

    /// Calls the store off the cooperative pool, again and again as long as its errors are such that pass: a full disk
    /// stops the job and not the daemon. Throws other errors, and `CancellationError`.
    func persist<Result: Sendable>(
        _ body: @escaping @Sendable (JobStore) throws(StoreError) -> Result
    ) async throws -> Result {
        var pause = 0.25
        while true {
            do throws(StoreError) {
                return try await Blocking.run { [store] () throws(StoreError) in try body(store) }
            } catch {
                guard error.isTemporary else { throw error }
                logger.warning("the job store waits", metadata: ["code": "\(error.code)", "cause": "\(error)"])
            }
            try await Task.sleep(for: .seconds(pause))
            pause = min(pause * 2, 30)
        }
    }

    /// Calls the folders off the cooperative pool, again and again as long as the errors pass.
    func move<Result: Sendable>(
        _ body: @escaping @Sendable () throws(WatchError) -> Result
    ) async throws -> Result {
        var pause = 0.25
        while true {
            do throws(WatchError) {
                return try await Blocking.run(body)
            } catch {
                guard error.disposition == .retryLater else { throw error }
                logger.warning("a folder waits", metadata: ["code": "\(error.code)", "cause": "\(error)"])
            }
            try await Task.sleep(for: .seconds(pause))
            pause = min(pause * 2, 30)
        }
    }
}

/// Variables of this process.
enum EnvironmentVariables {
    static var settings: [String: String] {
        var variables: [String: String] = [:]
        for entry in WorkerCommand.currentEnvironment where entry.hasPrefix("RENE_") {
            guard let sign = entry.firstIndex(of: "=") else { continue }
            variables[String(entry[..<sign])] = String(entry[entry.index(after: sign)...])
        }
        return variables
    }
}

/// What is under way, for `--once`, the status line and the watchdog.
final class Activity: Sendable {
    struct State: Sendable {
        /// Everything in the inbox has been told of.
        var inboxIsIdle = false
        /// Claimed sets that are not in the store yet.
        var intakes = 0
        /// Jobs that ended without success since the start.
        var failures = 0
        var watch = ""
        var running: [JobID: (name: String, beat: Beat)] = [:]
        /// The last time that the dispatcher's loop came round.
        var lastTurn = ContinuousClock.now
    }

    private let state = Mutex(State())

    var now: State { state.withLock { $0 } }

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
}
