/// Puts models and companions together. Pure, as the tracker is whose phases it reads.
struct SetAssembler<Instant: InstantProtocol> where Instant.Duration == Duration {
    private struct Candidate {
        /// When the last of its files became whole.
        var since: Instant
        /// Whether the model itself is whole.
        var isWhole = false
        var isTold = false
        /// The files that the model names; nil: not known (yet).
        var named: [BytePath]?
        var isAsked = false
    }

    let filter: NameFilter
    let rules: CompanionRules
    let policy: SetPolicy
    /// Whether there is somebody to ask which files a model names.
    let inspects: Bool
    private var candidates: [BytePath: Candidate] = [:]
    /// Models whose answer is outstanding, by folder.
    private var unanswered: [BytePath: Set<BytePath>] = [:]
    /// Who names a file.
    private var users: [BytePath: Set<BytePath>] = [:]
    /// Which models look again when a path changes.
    private var waiters: [BytePath: Set<BytePath>] = [:]
    private var deadlines = DeadlineQueue<Instant>()
    private var questions: [BytePath] = []
    private var openQuestions = 0
    /// Whole models that were not told yet.
    private(set) var waitingCount = 0

    init(filter: NameFilter, rules: CompanionRules, policy: SetPolicy, inspects: Bool) {
        self.filter = filter
        self.rules = rules
        self.policy = policy
        self.inspects = inspects
    }

    var nextDeadline: Instant? { deadlines.first }

    /// A file with a model's name is there.
    mutating func add(_ model: BytePath, at now: Instant) {
        guard candidates[model] == nil else { return }
        candidates[model] = Candidate(since: now)
        if inspects { unanswered[model.parent, default: []].insert(model) }
    }

    /// The model has changed or is about to be looked at again: what was known of it does not hold.
    mutating func reset(_ model: BytePath, at now: Instant) {
        remove(model)
        add(model, at: now)
    }

    /// The model has gone. Those who waited to hear from it look again.
    mutating func remove(_ model: BytePath) {
        guard let candidate = candidates.removeValue(forKey: model) else { return }
        if candidate.isWhole, !candidate.isTold { waitingCount -= 1 }
        for path in candidate.named ?? [] {
            users[path]?.remove(model)
            if users[path]?.isEmpty == true { users[path] = nil }
        }
        unanswered[model.parent]?.remove(model)
        if unanswered[model.parent]?.isEmpty == true { unanswered[model.parent] = nil }
    }

    /// The model is whole: the question about it may be asked.
    mutating func settle(_ model: BytePath, at now: Instant) {
        add(model, at: now)
        guard candidates[model]?.isWhole == false || candidates[model]?.isTold == true else { return }
        candidates[model]?.isWhole = true
        candidates[model]?.isTold = false
        candidates[model]?.since = now
        waitingCount += 1
        if inspects, candidates[model]?.named == nil, candidates[model]?.isAsked == false {
            candidates[model]?.isAsked = true
            questions.append(model)
        }
    }

    /// The next model to ask about, as long as not too many questions are open.
    mutating func nextQuestion() -> BytePath? {
        guard openQuestions < max(1, policy.inspections) else { return nil }
        while !questions.isEmpty {
            let model = questions.removeFirst()
            if candidates[model]?.isAsked == true {
                openQuestions += 1
                return model
            }
        }
        return nil
    }

    /// The names that were asked for, relative to the inbox. `isCurrent`: the model is still as it was when asked; an
    /// answer about a former file closes the question and no more. Returns the models that may go on.
    mutating func answer(_ model: BytePath, _ names: [BytePath], isCurrent: Bool) -> Set<BytePath> {
        openQuestions -= 1
        guard isCurrent, candidates[model] != nil, candidates[model]?.named == nil else { return [] }
        var known: Set<BytePath> = [model]
        let named = names.filter { known.insert($0).inserted }
        candidates[model]?.named = named
        for path in named { users[path, default: []].insert(model) }
        unanswered[model.parent]?.remove(model)
        if unanswered[model.parent]?.isEmpty == true { unanswered[model.parent] = nil }
        return takeWaiters(model.parent, plus: model)
    }

    /// Models that wait for `path`, which has become whole, changed or gone; a folder: for what is known of its models.
    mutating func takeWaiters(_ path: BytePath, plus model: BytePath? = nil) -> Set<BytePath> {
        var result = waiters.removeValue(forKey: path) ?? []
        if let model { result.insert(model) }
        return result
    }

    /// Models whose grace has ended.
    mutating func dueModels(at now: Instant) -> [BytePath] {
        var result: [BytePath] = []
        while let (_, path) = deadlines.pop(upTo: now) { result.append(path) }
        return result
    }

    /// A file of the model has just become whole: the grace starts anew.
    mutating func extend(_ model: BytePath, at now: Instant) { candidates[model]?.since = now }

    /// The set of the model if it is complete; otherwise nil, and the model looks again when what it waits for happens.
    mutating func evaluate(
        _ model: BytePath, _ tracker: StabilityTracker<Instant>, at now: Instant
    ) -> ModelSet? {
        guard let candidate = candidates[model], candidate.isWhole, !candidate.isTold, tracker.phase(model) == .stable,
            let status = tracker.status(model), candidate.named != nil || !inspects
        else { return nil }
        let folder = model.parent
        var wanted = (candidate.named ?? []).map { (path: $0, role: ModelSet.Role.data, isNamed: true) }
        let known = Set(wanted.map(\.path))
        for (name, role) in rules.companions(of: model.name, filter: filter) {
            let path = folder.appending(name)
            if !known.contains(path), candidates[path] == nil { wanted.append((path, role, false)) }
        }
        var set = ModelSet(
            model: .init(path: model, status: status, role: .model), isHeldOpen: tracker.isHeldOpen(model))
        var isBlocked = false
        for (path, role, isNamed) in wanted {
            switch tracker.phase(path) {
            case .stable:
                guard let status = tracker.status(path) else { continue }
                let sharers = isNamed ? (users[path] ?? []).subtracting([model]).union(strangers(folder, model)) : []
                set.companions.append(
                    .init(path: path, status: status, role: role, sharedWith: sharers.sorted()))
            case .waiting:
                isBlocked = true
                waiters[path, default: []].insert(model)
            case .denied, .irregular, .inHand, nil:
                guard isNamed else { continue }
                set.missing.append(path)
                waiters[path, default: []].insert(model)
            }
        }
        if isBlocked { return nil }
        let grace = graceNeeded(by: set, candidate.named ?? [])
        let end = candidate.since.advanced(by: grace)
        if grace > .zero, now < end {
            deadlines.insert(model, due: end)
            waiters[folder, default: []].insert(model)
            return nil
        }
        candidates[model]?.isTold = true
        waitingCount -= 1
        return set
    }

    /// How long the set as it is now should wait for more.
    private func graceNeeded(by set: ModelSet, _ named: [BytePath]) -> Duration {
        let lacksSidecar = !set.companions.contains { $0.role == .sidecar }
        let mayShare = !named.isEmpty && !strangers(set.folder, set.model.path).isEmpty
        return max(
            !set.missing.isEmpty || mayShare ? policy.companionGrace : .zero, lacksSidecar ? policy.sidecarGrace : .zero
        )
    }

    /// Other models of the folder of which nobody knows yet what they name.
    private func strangers(_ folder: BytePath, _ model: BytePath) -> Set<BytePath> {
        (unanswered[folder] ?? []).subtracting([model])
    }
}
