/// Decides for each file when it is whole. Pure: it is told the time, and looks at files through a probe.
///
///     waiting ──(unchanged, unheld, readable for the delay)──▶ stable ──(take)──▶ in hand
///        ▲                                                       │                  │
///        └───────────────────── changed, or told to retry ◀──────┴──────────────────┘
package struct StabilityTracker<Instant: InstantProtocol> where Instant.Duration == Duration {
    package enum Phase: Sendable, Hashable {
        case waiting, stable, inHand
        /// Cannot be read; tried again from time to time.
        case denied
        /// Not a regular file.
        case irregular
    }

    package enum Change: Sendable, Hashable {
        case stable(BytePath)
        /// A file that was stable or in hand has changed.
        case unsettled(BytePath)
        case gone(BytePath)
        case irregular(BytePath, FileStatus.Kind)
        /// Reported once until the file changes.
        case denied(BytePath, Int32)
    }

    private struct File {
        var status: FileStatus
        var lastChange: Instant
        var phase = Phase.waiting
        var due: Instant?
        var denials = 0
        var isHeldOpen = false
    }

    package let policy: StabilityPolicy
    private var files: [BytePath: File] = [:]
    private var queue = DeadlineQueue<Instant>()
    /// Files that are waiting.
    package private(set) var waitingCount = 0

    package init(policy: StabilityPolicy) { self.policy = policy }

    package var nextDeadline: Instant? { queue.first }
    package var paths: some Collection<BytePath> { files.keys }

    package func phase(_ path: BytePath) -> Phase? { files[path]?.phase }
    package func status(_ path: BytePath) -> FileStatus? { files[path]?.status }
    package func isHeldOpen(_ path: BytePath) -> Bool { files[path]?.isHeldOpen ?? false }

    /// Takes in what `path` is now; nil: nothing. `isEvent`: a program has just done something to it, which makes a
    /// waiting file wait anew even if it looks the same.
    package mutating func note(
        _ path: BytePath, _ status: FileStatus?, isEvent: Bool, at now: Instant
    ) -> Change? {
        guard let status else { return forget(path) ? .gone(path) : nil }
        guard let known = files[path] else {
            files[path] = File(status: status, lastChange: now)
            waitingCount += 1
            // What is no file never becomes one by waiting.
            schedule(path, status.kind == .file ? now.advanced(by: policy.delay) : now)
            return nil
        }
        if known.status == status, !(isEvent && known.phase == .waiting) { return nil }
        unsettle(path, status, at: now)
        return known.phase == .stable || known.phase == .inHand ? .unsettled(path) : nil
    }

    /// The stable file is being dealt with: not told of again until it changes.
    package mutating func take(_ path: BytePath) { setPhase(path, .inHand) }

    /// Looks at a file in hand, or stable, again after a pause, as if it had just been found whole.
    package mutating func retry(_ path: BytePath, at due: Instant) {
        guard files[path] != nil else { return }
        setPhase(path, .waiting)
        schedule(path, due)
    }

    /// Looks at each file whose time has come.
    package mutating func advance(to now: Instant, _ probe: some FileProbe) -> [Change] {
        var changes: [Change] = []
        while let (due, path) = queue.pop(upTo: now) {
            guard let file = files[path], file.due == due else { continue }
            files[path]?.due = nil
            if let change = look(at: path, file, at: now, probe) { changes.append(change) }
        }
        return changes
    }

    private mutating func look(
        at path: BytePath, _ file: File, at now: Instant, _ probe: some FileProbe
    ) -> Change? {
        guard let status = probe.status(of: path) else { return forget(path) ? .gone(path) : nil }
        guard status.kind == .file else {
            files[path]?.status = status
            setPhase(path, .irregular)
            return .irregular(path, status.kind)
        }
        guard status == file.status else {
            unsettle(path, status, at: now)
            return nil
        }
        let quiet = file.lastChange.duration(to: now)
        if quiet < policy.delay {
            schedule(path, file.lastChange.advanced(by: policy.delay))
            return nil
        }
        if status.size == 0, quiet < policy.emptyGrace {
            let end = file.lastChange.advanced(by: policy.emptyGrace)
            schedule(path, min(end, now.advanced(by: policy.recheck)))
            return nil
        }
        switch probe.access(to: path) {
        case .held where quiet < policy.heldLimit:
            schedule(path, now.advanced(by: policy.recheck))
            return nil
        case .denied(let number):
            files[path]?.denials += 1
            setPhase(path, .denied)
            schedule(path, now.advanced(by: policy.retry(after: file.denials + 1)))
            return file.denials == 0 ? .denied(path, number) : nil
        case .gone:
            schedule(path, now.advanced(by: policy.recheck))
            return nil
        case let access:
            files[path]?.isHeldOpen = access == .held
            setPhase(path, .stable)
            return .stable(path)
        }
    }

    private mutating func unsettle(_ path: BytePath, _ status: FileStatus, at now: Instant) {
        files[path]?.status = status
        files[path]?.lastChange = now
        files[path]?.denials = 0
        setPhase(path, .waiting)
        schedule(path, status.kind == .file ? now.advanced(by: policy.delay) : now)
    }

    private mutating func forget(_ path: BytePath) -> Bool {
        guard let file = files.removeValue(forKey: path) else { return false }
        if file.phase == .waiting { waitingCount -= 1 }
        return true
    }

    private mutating func setPhase(_ path: BytePath, _ phase: Phase) {
        guard let old = files[path]?.phase else { return }
        if old == .waiting { waitingCount -= 1 }
        if phase == .waiting { waitingCount += 1 }
        files[path]?.phase = phase
    }

    private mutating func schedule(_ path: BytePath, _ due: Instant) {
        files[path]?.due = due
        queue.insert(path, due: due)
    }
}
