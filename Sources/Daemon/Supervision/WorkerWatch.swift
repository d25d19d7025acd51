internal import Glibc

/// The loop that one worker's thread runs: waits for heartbeats, deadlines, the wish to stop, and the end.
struct WorkerWatch {
    private typealias Clock = SuspendingClock

    private let worker: SpawnedWorker
    private let process: WorkerProcess
    private let stop: StopFlag
    private let onBeat: @Sendable (Beat) -> Void

    private let start = Clock.now
    private var lastBeatAt = Clock.now
    private var stageStart = Clock.now
    private var beat: Beat?
    private var peakMemory = 0
    private var memoryRefused = false
    private var reader = HeartbeatReader()
    private var pipeIsOpen = true
    private var stopping: (reason: StopReason, killAt: Clock.Instant, killed: Bool)?

    init(
        worker: SpawnedWorker, process: WorkerProcess, stop: StopFlag, onBeat: @escaping @Sendable (Beat) -> Void
    ) {
        self.worker = worker
        self.process = process
        self.stop = stop
        self.onBeat = onBeat
    }

    /// Returns when the worker is reaped and its group is killed. A worker that hangs in the kernel cannot be killed;
    /// then this waits as long as the kernel does.
    mutating func waitForEnd() -> WorkerOutcome {
        while !waitOnce() { enforceDeadlines() }
        while pipeIsOpen, readPipe() {}
        return reap()
    }

    /// Waits for something to happen. Returns `true` when the worker has ended.
    private mutating func waitOnce() -> Bool {
        var polled = [
            pollfd(fd: worker.processDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: pipeIsOpen ? worker.heartbeat : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stopping == nil ? stop.descriptor : -1, events: Int16(POLLIN), revents: 0),
        ]
        guard unsafe poll(&polled, nfds_t(polled.count), millisecondsToNextDeadline) > 0 else { return false }
        if polled[1].revents != 0 { _ = readPipe() }
        if polled[2].revents != 0 { terminate(.cancelled) }
        return polled[0].revents != 0
    }

    /// Returns `false` when there is no more to read now.
    private mutating func readPipe() -> Bool {
        var (events, before) = ([HeartbeatReader.Event](), reader)
        errno = 0
        let isOpen = before.read(worker.heartbeat) { events.append($0) }
        let isEmpty = errno == EAGAIN
        reader = before
        for event in events { take(event) }
        if !isOpen {
            pipeIsOpen = false
            close(worker.heartbeat)
        }
        return isOpen && !isEmpty
    }

    private mutating func take(_ event: HeartbeatReader.Event) {
        switch event {
        case .memoryRefused: memoryRefused = true
        case .beat(let new):
            lastBeatAt = Clock.now
            if new.stage != beat?.stage { stageStart = lastBeatAt }
            peakMemory = max(peakMemory, new.memory)
            beat = new
            onBeat(new)
        }
    }

    /// What may still run out, with the moment it does.
    private var deadlines: [(at: Clock.Instant, reason: StopReason)] {
        let stage = beat?.stage ?? ""
        let limit = process.deadlines.limit(of: stage)
        var all: [(Clock.Instant, StopReason)] = [
            (lastBeatAt + process.heartbeatTimeout, .noHeartbeat(process.heartbeatTimeout)),
            (stageStart + limit, .stageDeadline(stage: stage, limit)),
        ]
        if let job = process.deadlines.job { all.append((start + job, .jobDeadline(job))) }
        return all
    }

    private var millisecondsToNextDeadline: Int32 {
        let next: Clock.Instant?
        if let stopping {
            next = stopping.killed ? nil : stopping.killAt
        } else {
            next = deadlines.map(\.at).min()
        }
        guard let next else { return -1 }
        let milliseconds = (next - Clock.now) / .milliseconds(1)
        return Int32(min(max(milliseconds.rounded(.up), 0), 60_000))
    }

    private mutating func enforceDeadlines() {
        let now = Clock.now
        if let stopping {
            if now >= stopping.killAt, !stopping.killed {
                kill(-worker.process, SIGKILL)
                self.stopping?.killed = true
            }
        } else if let passed = deadlines.filter({ $0.at <= now }).min(by: { $0.at < $1.at }) {
            terminate(passed.reason)
        }
    }

    private mutating func terminate(_ reason: StopReason) {
        guard stopping == nil else { return }
        stopping = (reason, Clock.now + process.grace, false)
        kill(-worker.process, SIGTERM)
        // A stopped process takes no signal but KILL until it goes on.
        kill(-worker.process, SIGCONT)
    }

    /// Kills what is left of the group and takes the status of its leader. In this order: until the leader is reaped,
    /// its number cannot become another group's.
    private func reap() -> WorkerOutcome {
        kill(-worker.process, SIGKILL)
        var (status, usage) = (Int32(0), rusage())
        while unsafe wait4(worker.process, &status, 0, &usage) < 0, errno == EINTR {}
        close(worker.processDescriptor)
        if pipeIsOpen { close(worker.heartbeat) }
        let signal = status & 0x7f
        let end: WorkerEnd
        if signal == 0 {
            let code = status >> 8 & 0xff
            end = stopping.map { code == 0 ? .exited(0) : .stopped($0.reason) } ?? .exited(code)
        } else {
            end = stopping.map { .stopped($0.reason) } ?? .signalled(signal)
        }
        return WorkerOutcome(
            end: end, ranOutOfMemory: memoryRefused || isNearLimit, lastBeat: beat,
            usage: WorkerUsage(
                seconds: start.duration(to: Clock.now) / .seconds(1),
                processorSeconds: Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime),
                residentBytes: usage.ru_maxrss << 10))
    }

    private var isNearLimit: Bool {
        guard let limit = process.memoryLimit else { return false }
        return Double(peakMemory) > 0.95 * Double(limit)
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
}
