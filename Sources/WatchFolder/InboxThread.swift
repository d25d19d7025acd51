internal import Glibc
internal import Synchronization

/// The thread on which an inbox waits for events and looks at files: calls that may hang on a dead file server never
/// get near the threads that the rest of the program runs on.
final class InboxThread: Sendable {
    typealias Instant = SuspendingClock.Instant

    /// What others ask of the thread.
    enum Command: Sendable {
        case stop
        case rescan
        case answer(BytePath, FileStatus, [BytePath])
        case retry([BytePath], Duration)
        case leave([(path: BytePath, status: FileStatus)])
    }

    private let root: BytePath
    private let options: InboxOptions
    private let inspects: Bool
    private let connect: @Sendable () throws(WatchError) -> any FolderNotifier
    private let output: AsyncStream<InboxState<Instant>.Output>.Continuation
    private let pipe: WakePipe
    private let commands = Mutex<[Command]>([])

    init(
        root: BytePath, options: InboxOptions, inspects: Bool,
        connect: @escaping @Sendable () throws(WatchError) -> any FolderNotifier,
        output: AsyncStream<InboxState<Instant>.Output>.Continuation
    ) throws(WatchError) {
        self.root = root
        self.options = options
        self.inspects = inspects
        self.connect = connect
        self.output = output
        pipe = try WakePipe()
    }

    func send(_ command: Command) {
        commands.withLock { $0.append(command) }
        pipe.wake()
    }

    /// Starts the thread. It ends by `stop`, and finishes the stream as its last act.
    func start() throws(WatchError) {
        var thread = pthread_t()
        let held = unsafe Unmanaged.passRetained(self)
        let result = unsafe pthread_create(
            &thread, nil,
            { context in
                if let context = unsafe context {
                    unsafe Unmanaged<InboxThread>.fromOpaque(context).takeRetainedValue().run()
                }
                return nil
            }, held.toOpaque())
        guard result == 0 else {
            unsafe held.release()
            throw .system(result, "start a thread", root)
        }
        pthread_detach(thread)
    }

    private func run() {
        // Signals belong to the threads that expect them.
        var signals = sigset_t()
        unsafe sigfillset(&signals)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        watch()
        output.finish()
    }

    private func watch() {
        // Monotonic, and at rest while the machine sleeps: neither a change of the date nor a night asleep makes a file
        // look whole.
        let clock = SuspendingClock()
        let watcher = FolderWatcher<Instant>(
            root: root, filter: options.filter, options: options.watch, now: clock.now, connect: connect)
        var state = InboxState<Instant>(
            .init(
                filter: options.filter, companions: options.companions, stability: options.stability,
                sets: options.sets, inspects: inspects))
        let probe = FolderProbe(root: root)
        while true {
            var hints = watcher.readEvents(at: clock.now)
            hints += watcher.tick(at: clock.now)
            for hint in hints { state.apply(hint, probe, at: clock.now) }
            for command in commands.withLock({ pending in
                defer { pending.removeAll() }
                return pending
            }) {
                let now = clock.now
                switch command {
                case .stop: return
                case .rescan: watcher.requestScan(at: now)
                case .answer(let model, let status, let names): state.answer(model, status, names, at: now)
                case .retry(let paths, let pause): state.retry(paths, probe, after: pause, at: now)
                case .leave(let files): state.leave(files)
                }
            }
            for item in state.advance(to: clock.now, probe) { output.yield(item) }
            let next = min(watcher.nextTick, state.nextDeadline ?? watcher.nextTick)
            pipe.wait(or: watcher.descriptor, milliseconds: Self.milliseconds(clock.now.duration(to: next)))
        }
    }

    /// Rounded up, so that the thread does not wake just before an instant and spin until it.
    private static func milliseconds(_ duration: Duration) -> Int32 {
        guard duration > .zero else { return 0 }
        let parts = duration.components
        guard parts.seconds < 3600 else { return 3_600_000 }
        return Int32(parts.seconds * 1000 + (parts.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
