/// How the inbox is being watched.
public enum WatchState: Sendable, Hashable {
    /// By notifications of the kernel, with a full scan from time to time.
    case watching
    /// By looking again and again; the reason is nil when the settings ask for it or the file system needs it.
    case polling(WatchError?)
    /// The folder is not there. Nothing is lost: when it returns it is scanned.
    case degraded(WatchError)
}

/// What the watcher saw. Hints only: whoever gets one looks for himself, and a hint too many does no harm.
package enum FolderHint: Sendable, Hashable {
    /// A program has done something to the file.
    case touched(BytePath)
    /// A scan has met the file.
    case found(BytePath)
    case vanished(BytePath)
    /// A folder and all below it is gone or elsewhere.
    case folderVanished(BytePath)
    /// A scan of everything is complete.
    case scanned
    case state(WatchState)
    case problem(WatchError)
}

/// How to watch.
public struct WatchOptions: Sendable, Hashable {
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        /// inotify, unless the file system is one where it stays silent.
        case automatic
        case notifications
        case polling
    }

    public var mode: Mode
    /// Between full scans while notifications work: they are hints and may be lost.
    public var rescanInterval: Duration
    /// Between full scans while polling.
    public var pollInterval: Duration
    /// Between looks at whether the folder is still the same one, and whether a lost one is back.
    public var checkInterval: Duration
    /// Levels of folders below the inbox that are looked into.
    public var maximumDepth: Int

    public init(
        mode: Mode = .automatic, rescanInterval: Duration = .seconds(300), pollInterval: Duration = .seconds(10),
        checkInterval: Duration = .seconds(2), maximumDepth: Int = 64
    ) {
        self.mode = mode
        self.rescanInterval = rescanInterval
        self.pollInterval = pollInterval
        self.checkInterval = checkInterval
        self.maximumDepth = maximumDepth
    }
}
