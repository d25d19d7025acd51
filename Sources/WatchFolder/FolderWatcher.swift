/// Watches a folder and all below it: by notifications and scans, or by scans alone. Belongs to one thread, which waits
/// on `descriptor` and calls `tick` when `nextTick` has come.
package final class FolderWatcher<Instant: InstantProtocol> where Instant.Duration == Duration {
    let root: BytePath
    let filter: NameFilter
    let options: WatchOptions
    private let connect: () throws(WatchError) -> any FolderNotifier
    private let kind: (BytePath) -> FileSystemKind
    private var rootGuard: RootGuard

    var notifier: (any FolderNotifier)?
    var tree = WatchTree()
    var hints: [FolderHint] = []
    /// Folders that could not be read and were reported.
    var unreadable: Set<BytePath> = []
    /// Why notifications do not suffice, found during a scan.
    var shortage: WatchError?
    private(set) var state: WatchState?
    private var nextScan: Instant?
    private var nextCheck: Instant
    private var connectionFailure: WatchError?

    /// Nothing is touched before the first `tick`.
    package init(
        root: BytePath, filter: NameFilter, options: WatchOptions, now: Instant,
        kind: @escaping (BytePath) -> FileSystemKind = FileSystemKind.of,
        connect: @escaping () throws(WatchError) -> any FolderNotifier
    ) {
        self.root = root
        self.filter = filter
        self.options = options
        self.kind = kind
        self.connect = connect
        rootGuard = RootGuard(root)
        nextCheck = now
    }

    /// Readable when `readEvents` has something to do; −1 when there is nothing to wait on.
    package var descriptor: Int32 { notifier?.descriptor ?? -1 }

    /// When `tick` must be called at the latest.
    package var nextTick: Instant { nextScan.map { min($0, nextCheck) } ?? nextCheck }

    package var isDegraded: Bool { if case .degraded = state { true } else { false } }

    /// Folders with a watch on them.
    package var watchCount: Int { tree.count }

    /// Asks for a full scan at the next `tick`.
    package func requestScan(at now: Instant) { nextScan = now }

    /// Asks for a look at whether the root is still the same at the next `tick`.
    func requestCheck() { rootIsSuspect = true }

    private var rootIsSuspect = false

    /// Does what is due: looks at the root's identity, scans.
    package func tick(at now: Instant) -> [FolderHint] {
        if now >= nextCheck || rootIsSuspect {
            rootIsSuspect = false
            nextCheck = now.advanced(by: options.checkInterval)
            switch rootGuard.check() {
            case .same where !isDegraded: break
            case .same, .renewed: attach(at: now)
            case .lost(let error): lose(error)
            }
        }
        if !isDegraded, let due = nextScan, now >= due { scanAll(at: now) }
        return takeHints()
    }

    /// Takes in the events that have come.
    package func readEvents(at now: Instant) -> [FolderHint] {
        guard let notifier else { return takeHints() }
        do {
            for event in try notifier.read() { handle(event, at: now) }
        } catch {
            hints.append(.problem(error))
            attach(at: now)
        }
        if rootIsSuspect { return takeHints() + tick(at: now) }
        return takeHints()
    }

    private func takeHints() -> [FolderHint] {
        defer { hints.removeAll() }
        return hints
    }

    /// Starts over on the folder that is there now.
    private func attach(at now: Instant) {
        disconnect()
        // What was known of another folder under this path no longer holds.
        hints.append(.folderVanished(""))
        let wanted =
            switch options.mode {
            case .automatic: !kind(root).needsPolling
            case .notifications: true
            case .polling: false
            }
        if wanted {
            do {
                notifier = try connect()
            } catch {
                connectionFailure = error
            }
        }
        state = nil
        nextScan = now
    }

    private func disconnect() {
        notifier = nil
        tree = WatchTree()
        connectionFailure = nil
        unreadable = []
    }

    private func lose(_ error: WatchError) {
        if !isDegraded { hints.append(.folderVanished("")) }
        disconnect()
        nextScan = nil
        move(to: .degraded(error))
    }

    private func scanAll(at now: Instant) {
        shortage = nil
        if let failure = connectionFailure {
            // The limit may have been raised since.
            do {
                notifier = try connect()
                connectionFailure = nil
            } catch {
                shortage = failure
            }
        }
        let seen = scan("")
        for watch in tree.keepOnly(seen) { notifier?.remove(watch) }
        hints.append(.scanned)
        if notifier == nil || shortage != nil {
            move(to: .polling(shortage))
            nextScan = now.advanced(by: options.pollInterval)
        } else {
            move(to: .watching)
            nextScan = now.advanced(by: options.rescanInterval)
        }
    }

    /// Falls back to polling in the middle of events, when a new folder could not be watched.
    func noteShortage(at now: Instant) {
        guard let shortage else { return }
        move(to: .polling(shortage))
        let due = now.advanced(by: options.pollInterval)
        nextScan = nextScan.map { min($0, due) } ?? due
    }

    private func move(to new: WatchState) {
        guard state != new else { return }
        state = new
        hints.append(.state(new))
    }
}
