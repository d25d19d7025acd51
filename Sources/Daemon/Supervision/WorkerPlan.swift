/// How the machine is shared between workers.
///
/// The number of threads of a worker does not depend on how many happen to run: the result of a conversion depends on
/// the number of threads, and must not depend on what else is in the inbox.
public struct WorkerPlan: Sendable, Hashable {
    public let workers: Int
    /// Of each worker.
    public let threads: Int
    /// Bytes that all workers together may take.
    public let budget: Int

    /// What a worker takes beside the model: program, libraries, buffers of the linear algebra for each thread.
    static let base = 256 << 20
    static let perThread = 48 << 20
    /// Bytes per byte of the model's files. A layer at work takes up to ten times its weight (`MemoryNeed`), and is rarely
    /// more than a third of a model.
    static let factor = 3.0
    /// Limit over need: a worker is ended for lack of memory only when the estimate is off by this much.
    static let headroom = 1.5

    /// - Parameters:
    ///   - workers: as the user wants; `nil` takes one for each core, as far as there is memory for its smallest job.
    ///   - threads: as the user wants; `nil` divides the cores.
    ///   - memory: bytes for all workers; `nil` takes three quarters of the machine's.
    public init(machine: MachineResources, workers: Int? = nil, threads: Int? = nil, memory: Int? = nil) {
        budget = max(1, memory ?? machine.memory / 4 * 3)
        let smallest = Self.base + Self.perThread
        self.workers = max(1, workers ?? min(machine.cores, budget / smallest))
        self.threads = max(1, threads ?? machine.cores / self.workers)
    }

    /// Estimated bytes that a conversion takes.
    /// - Parameter modelBytes: of the model with its data files.
    public func need(modelBytes: Int, plan: MemoryPlan = .normal) -> Int {
        let threads = plan == .lower ? 1 : self.threads
        let bytes = Double(Self.base + Self.perThread * threads) + Self.factor * Double(max(0, modelBytes))
        return bytes < Double(Int.max / 4) ? Int(bytes) : Int.max / 4
    }

    /// What a run is given: the estimate, and a worker's share of the machine at least, so that no layer stays as it is
    /// for lack of memory that is there.
    /// - Parameter limit: the largest limit of a worker's memory, bytes; `nil` where the settings give none.
    public func allotment(modelBytes: Int, plan: MemoryPlan = .normal, limit largest: Int? = nil) -> Allotment {
        let need = min(max(need(modelBytes: modelBytes, plan: plan), budget / workers), budget)
        let share = plan == .lower ? budget : min(budget, Int(Double(need) * Self.headroom))
        let limit = largest ?? share
        let layers = max(1 << 20, limit - Self.base)
        return Allotment(
            need: plan == .lower ? budget : need, limit: limit, layerMemory: plan == .lower ? layers / 2 : layers,
            threads: plan == .lower ? 1 : threads)
    }

    public struct Allotment: Sendable, Hashable {
        /// Bytes that the run is counted with against the budget.
        public var need: Int
        /// Bytes of `WorkerLimits.memory`.
        public var limit: Int
        /// Bytes that one layer's numerics may take.
        public var layerMemory: Int
        public var threads: Int
    }
}

/// Which of the waiting jobs may run beside those that do.
public struct WorkerAdmission: Sendable {
    /// Changed by a reload: what runs goes on, and counts.
    public var plan: WorkerPlan
    private var running: [Int64: Int] = [:]

    public init(plan: WorkerPlan) { self.plan = plan }

    public var count: Int { running.count }

    /// Takes a place for the job if there is one and its need fits beside the others'. A job that needs the whole budget
    /// runs alone.
    public mutating func admit(_ job: Int64, need: Int) -> Bool {
        let used = running.values.reduce(0, +)
        guard running.count < plan.workers, running[job] == nil, running.isEmpty || used + need <= plan.budget
        else { return false }
        running[job] = need
        return true
    }

    public mutating func release(_ job: Int64) { running[job] = nil }
}
