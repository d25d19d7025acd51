public import Conversion

/// How the daemon learns of changes in its folder.
public enum PollingMode: String, Sendable, Hashable, CaseIterable {
    /// By the kind of the file system.
    case auto
    case always
    case never
}

/// What becomes of a source whose result is durable.
public enum SourcePolicy: String, Sendable, Hashable, CaseIterable {
    /// It goes back to its place in `inbox`.
    case keep
    /// It goes to `done`.
    case done
    case delete
}

/// The least important message that is logged; the names are those of swift-log.
public enum LogLevel: String, Sendable, Hashable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
}

/// Settings of the jobs of a sub-folder.
public struct FolderRule: Sendable, Hashable {
    public var pattern: FolderPattern
    var layer: SettingsLayer

    public static func == (left: FolderRule, right: FolderRule) -> Bool {
        left.pattern == right.pattern && left.layer.summary == right.layer.summary
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(pattern)
        hasher.combine(layer.summary)
    }
}

/// All that `rene watch` can be told, apart from its root. Durations are seconds, sizes bytes.
public struct DaemonSettings: Sendable, Hashable {
    /// For models of folders without settings of their own.
    public var conversion = ConversionSettings()
    /// Threads of a worker; `nil`: the cores divided among the workers. When set, `conversion.threads` is the same.
    public var threads: Int?
    /// Higher ones are converted first.
    public var priority = 0
    public var stabilityDelay = 5.0
    public var rescanInterval = 300.0
    public var polling = PollingMode.auto
    public var pollingInterval = 10.0
    /// Workers at a time; `nil`: by cores and memory.
    public var workers: Int?
    /// Bytes of address space of one worker; `nil`: by the machine's memory and the number of workers.
    public var workerMemoryLimit: Int?
    /// Longest time in a stage by the stage's name; `default` holds for the others.
    public var stageDeadlines: [String: Double] = ["default": 3600]
    /// A worker that says nothing for this long is stopped.
    public var heartbeatTimeout = 60.0
    /// Runs of a job before it goes to `failed`.
    public var attempts = 3
    /// The first pause before a job is tried again; doubled each time up to `retryDelayLimit`.
    public var retryDelay = 30.0
    public var retryDelayLimit = 3600.0
    public var source = SourcePolicy.done
    public var logLevel = LogLevel.info
    /// How long ended jobs are remembered.
    public var history = 365.0 * 86_400
    /// In the order of the file; of those that match a job, later ones win.
    public var folders: [FolderRule] = []

    public init() {}

    /// The longest time in a stage, in seconds; `nil`: no limit.
    public func deadline(ofStage stage: String) -> Double? { stageDeadlines[stage] ?? stageDeadlines["default"] }

    /// The pause before the next try of a job that was put off `deferrals` times before, in seconds.
    public func retryPause(deferrals: Int) -> Double {
        var pause = retryDelay
        for _ in 0..<min(max(0, deferrals), 64) where pause < retryDelayLimit { pause *= 2 }
        return min(pause, retryDelayLimit)
    }
}
