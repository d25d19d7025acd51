/// All the inbox knows, without threads, clocks and files of its own: hints and the time go in, events come out.
package struct InboxState<Instant: InstantProtocol> where Instant.Duration == Duration {
    package enum Output: Sendable, Hashable {
        case event(InboxEvent)
        /// Somebody who reads models is asked which files this one names.
        case inspect(BytePath, FileStatus)
    }

    package struct Rules: Sendable {
        package var filter: NameFilter
        package var companions: CompanionRules
        package var stability: StabilityPolicy
        package var sets: SetPolicy
        /// Whether `Output.inspect` is wanted.
        package var inspects: Bool

        package init(
            filter: NameFilter, companions: CompanionRules = .init(), stability: StabilityPolicy = .init(),
            sets: SetPolicy = .init(), inspects: Bool = false
        ) {
            self.filter = filter
            self.companions = companions
            self.stability = stability
            self.sets = sets
            self.inspects = inspects
        }
    }

    private let rules: Rules
    private var tracker: StabilityTracker<Instant>
    private var assembler: SetAssembler<Instant>
    private var orphans = DeadlineQueue<Instant>()
    /// What was told of files that are left alone.
    private var reported: [BytePath: InboxEvent.Reason] = [:]
    /// Files that come back to the inbox on purpose and are not taken again, as they were when they left.
    private var left: [BytePath: FileStatus] = [:]
    private var hasScanned = false
    private var hasToldIdle = false
    private var outputs: [Output] = []

    package init(_ rules: Rules) {
        self.rules = rules
        tracker = StabilityTracker(policy: rules.stability)
        assembler = SetAssembler(
            filter: rules.filter, rules: rules.companions, policy: rules.sets, inspects: rules.inspects)
    }

    /// When `advance` must be called at the latest.
    package var nextDeadline: Instant? {
        [tracker.nextDeadline, assembler.nextDeadline, orphans.first].compactMap { $0 }.min()
    }

    /// Takes in a hint.
    package mutating func apply(_ hint: FolderHint, _ probe: some FileProbe, at now: Instant) {
        switch hint {
        case .touched(let path): note(path, probe.status(of: path), isEvent: true, at: now)
        case .found(let path): note(path, probe.status(of: path), isEvent: false, at: now)
        case .vanished(let path): note(path, probe.status(of: path), isEvent: true, at: now)
        case .folderVanished(let folder):
            let inside = tracker.paths.filter { $0.isWithin(folder) }
            for path in inside { note(path, probe.status(of: path), isEvent: false, at: now) }
            reported = reported.filter { !$0.key.isWithin(folder) || tracker.phase($0.key) != nil }
        case .scanned: hasScanned = true
        case .state(let state):
            if case .degraded = state { hasScanned = false }
            outputs.append(.event(.state(state)))
        case .problem(let error): outputs.append(.event(.problem(error)))
        }
    }

    /// Does what is due and returns all there is to tell, in order.
    package mutating func advance(to now: Instant, _ probe: some FileProbe) -> [Output] {
        for change in tracker.advance(to: now, probe) { handle(change, at: now) }
        for model in assembler.dueModels(at: now) { evaluate(model, at: now) }
        while let (_, path) = orphans.pop(upTo: now) {
            if tracker.phase(path) == .stable { report(path, .noModel) }
        }
        while let model = assembler.nextQuestion() {
            // A question about a file that has changed meanwhile is closed by its answer.
            let status =
                tracker.status(model) ?? FileStatus(device: 0, inode: 0, size: 0, modified: .zero, changed: .zero)
            outputs.append(.inspect(model, status))
        }
        tellIdle()
        defer { outputs.removeAll() }
        return outputs
    }

    /// The answer to `Output.inspect`: names relative to the model's folder. A name that leads elsewhere is not waited
    /// for; whoever reads the model refuses it.
    package mutating func answer(_ model: BytePath, _ status: FileStatus, _ names: [BytePath], at now: Instant) {
        let paths = names.filter(\.isPlainRelative).map { model.parent.appending($0) }
        let isCurrent = tracker.status(model) == status
        for other in assembler.answer(model, paths, isCurrent: isCurrent).sorted() { evaluate(other, at: now) }
    }

    /// Tells of the set again after a pause, if it is still there.
    package mutating func retry(_ paths: [BytePath], _ probe: some FileProbe, after pause: Duration, at now: Instant) {
        for path in paths {
            note(path, probe.status(of: path), isEvent: false, at: now)
            guard let phase = tracker.phase(path), phase != .waiting else { continue }
            tracker.retry(path, at: now.advanced(by: max(pause, .zero)))
            hasToldIdle = false
        }
    }

    /// These files will be put back into the inbox and are to be left alone until they change.
    package mutating func leave(_ files: [(path: BytePath, status: FileStatus)]) {
        for (path, status) in files { left[path] = status }
    }

    private mutating func note(_ path: BytePath, _ status: FileStatus?, isEvent: Bool, at now: Instant) {
        if status?.kind == .folder, !rules.filter.isModel(path.name) { return }
        let isNew = tracker.phase(path) == nil
        let change = tracker.note(path, status, isEvent: isEvent, at: now)
        if isNew, status?.kind == .file, rules.filter.isModel(path.name) { assembler.add(path, at: now) }
        if isNew, status != nil { hasToldIdle = false }
        if let change { handle(change, at: now) }
    }

    private mutating func handle(_ change: StabilityTracker<Instant>.Change, at now: Instant) {
        switch change {
        case .stable(let path): settle(path, at: now)
        case .unsettled(let path):
            hasToldIdle = false
            reported[path] = nil
            if rules.filter.isModel(path.name) { assembler.reset(path, at: now) }
            revive(path, at: now)
        case .gone(let path):
            reported[path] = nil
            assembler.remove(path)
            revive(path, at: now)
            revive(path.parent, at: now)
        case .irregular(let path, let kind):
            assembler.remove(path)
            if rules.filter.isModel(path.name) { report(path, .notRegular(kind)) }
            revive(path, at: now)
            revive(path.parent, at: now)
        case .denied(let path, let number):
            report(path, .unreadable(number))
            revive(path, at: now)
        }
    }

    private mutating func settle(_ path: BytePath, at now: Instant) {
        if case .unreadable = reported[path] { reported[path] = nil }
        if let known = left[path], let status = tracker.status(path) {
            if known.isSameContent(as: status) {
                tracker.take(path)
                assembler.remove(path)
                revive(path.parent, at: now)
                return
            }
            left[path] = nil
        }
        if rules.filter.isModel(path.name) {
            assembler.settle(path, at: now)
            evaluate(path, at: now)
        } else {
            orphans.insert(path, due: now.advanced(by: rules.sets.orphanGrace))
        }
        for model in assembler.takeWaiters(path).sorted() {
            assembler.extend(model, at: now)
            evaluate(model, at: now)
        }
    }

    private mutating func revive(_ path: BytePath, at now: Instant) {
        for model in assembler.takeWaiters(path).sorted() { evaluate(model, at: now) }
    }

    private mutating func evaluate(_ model: BytePath, at now: Instant) {
        guard let set = assembler.evaluate(model, tracker, at: now) else { return }
        tracker.take(model)
        for companion in set.companions where companion.sharedWith.isEmpty { tracker.take(companion.path) }
        outputs.append(.event(.ready(set)))
    }

    private mutating func report(_ path: BytePath, _ reason: InboxEvent.Reason) {
        guard reported.updateValue(reason, forKey: path) != reason else { return }
        outputs.append(.event(.ignored(path, reason)))
    }

    private mutating func tellIdle() {
        let isIdle = hasScanned && tracker.waitingCount == 0 && assembler.waitingCount == 0
        if isIdle, !hasToldIdle { outputs.append(.event(.idle)) }
        hasToldIdle = isIdle
    }
}

extension FileStatus.Time {
    static var zero: FileStatus.Time { .init(seconds: 0) }
}
