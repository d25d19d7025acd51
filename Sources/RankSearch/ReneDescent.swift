/// One step of `Rene`: descents on the relaxed loss with the exponent `μ` bisected to meet the reductions.
///
/// With several reductions the rank loss is a product `Π_k L_r,k^{μ w_k}`. The directions `w` tried in the first step
/// are each resource alone and then, unless one alone turns out to bind, mixtures of them; the later steps keep the
/// best. Of all descents whose choice keeps every reduction the one of least summed error counts.
///
/// The choice jumps where `μ` passes the value at which a layer of flat spectrum goes from its smallest rank to dense,
/// and what is just feasible may leave much over. So the last choice that was not feasible is repaired, by the moves
/// that remove the most excess for the error they add, and taken if it is the better one once the slack is filled.
struct ReneDescent {
    struct Outcome {
        var choice: [Candidate]
        /// By layer and space, the family's most probable ranks.
        var centres: [[[Int]]]
        /// By layer and space, probabilities of the candidates; at the end that of the dense layer.
        var probabilities: [[[Double]]]
        var multiplier: Double
    }

    let problem: PreparedProblem
    let optimizer: ReneOptimizer
    /// `log2 μ` and direction of the last step's outcome.
    private var last: (exponent: Double, direction: [Double])?

    init(problem: PreparedProblem, optimizer: ReneOptimizer) {
        self.problem = problem
        self.optimizer = optimizer
    }

    /// Throws `search.unreachable` when neither a descent nor the repair of one keeps the reductions, and `fallback`,
    /// the choice of an earlier step, is `nil`.
    mutating func run(_ refinement: Refinement, fallback: [Candidate]?) throws -> Outcome {
        let loss = try RelaxedLoss(refinement)
        var best: (outcome: Outcome, exponent: Double, direction: [Double])?
        // By direction the last choice that was not feasible.
        var missed: [(outcome: Outcome, direction: [Double])] = []
        for direction in last.map({ [$0.direction] }) ?? directions() {
            var low = last.map { $0.exponent - 3 } ?? -30
            var high = last.map { $0.exponent + 3 } ?? 30
            var bindsAlone = false
            for _ in 0..<(last == nil ? 13 : 8) {
                let middle = (low + high) / 2
                let multiplier = middle.powerOfTwo
                let probabilities = try optimizer.minimize(loss, multipliers: direction.map { $0 * multiplier })
                let outcome = self.outcome(refinement, probabilities, multiplier)
                guard problem.isMet(by: outcome.choice) else {
                    low = middle
                    missed.removeAll { $0.direction == direction }
                    missed.append((outcome, direction))
                    bindsAlone = problem.resources.indices.allSatisfy {
                        direction[$0] > 0 || problem.isMet(by: outcome.choice, resource: $0)
                    }
                    continue
                }
                high = middle
                if let found = best, found.outcome.choice.summedError <= outcome.choice.summedError { continue }
                best = (outcome, middle, direction)
            }
            // Just short of meeting the budget only what the direction presses on was over: the others ask for nothing.
            if bindsAlone, best?.direction == direction { break }
        }
        let strongest = (missed.first { $0.direction == best?.direction } ?? missed.last)?.outcome
        let repaired = try strongest.flatMap { try self.repaired(refinement, $0.choice) }
        if let best {
            last = (best.exponent, best.direction)
            guard let repaired, var outcome = strongest else { return best.outcome }
            let error = try problem.fillingSlack(of: best.outcome.choice).summedError
            if error <= (try problem.fillingSlack(of: repaired).summedError) { return best.outcome }
            outcome.choice = repaired
            return outcome
        }
        // Near the least that can be reached a probability may still miss the cheapest candidate.
        guard var outcome = strongest, let choice = repaired ?? fallback else { throw problem.unreachable() }
        outcome.choice = choice
        return outcome
    }

    private func directions() -> [[Double]] {
        let count = problem.resources.count
        var directions = (0..<count).map { own in (0..<count).map { $0 == own ? 1.0 : 0 } }
        if count > 1 {
            directions.append([Double](repeating: 1, count: count))
            for own in 0..<count { directions.append((0..<count).map { $0 == own ? 1.0 : 0.25 }) }
        }
        return directions
    }

    private func repaired(_ refinement: Refinement, _ choice: [Candidate]) throws -> [Candidate]? {
        let options = problem.layers.indices.map { refinement.options($0) }
        let picks = zip(options, choice).map { options, chosen in
            options.firstIndex { $0.family == chosen.family && $0.ranks == chosen.ranks } ?? options.count - 1
        }
        let solver = KnapsackSolver(problem, options: options)
        let repaired = zip(options, solver.repaired(picks)).map { $0[$1] }
        return problem.isMet(by: repaired) ? repaired : nil
    }

    /// Splits flat probabilities by layer and takes the most probable: first the family (or dense), then in it the
    /// rank.
    private func outcome(_ refinement: Refinement, _ flat: [Double], _ multiplier: Double) -> Outcome {
        var outcome = Outcome(choice: [], centres: [], probabilities: [], multiplier: multiplier)
        var offset = 0
        for (index, layer) in problem.layers.enumerated() {
            guard layer.fixed == nil, !layer.spaces.isEmpty else {
                outcome.choice.append(layer.fixed ?? layer.dense)
                outcome.centres.append([])
                outcome.probabilities.append([])
                continue
            }
            let groups = refinement.groups[index]
            var within: [[Double]] = []
            for group in groups {
                within.append(Array(flat[offset..<(offset + group.candidates.count)]))
                offset += group.candidates.count
            }
            let between = flat[offset..<(offset + groups.count + 1)].map(\.self)
            offset += groups.count + 1
            let favourites = zip(groups, within).map { $0.candidates[$1.positionOfLargest] }
            let winner = between.positionOfLargest
            outcome.choice.append(winner < groups.count ? favourites[winner] : layer.dense)
            outcome.centres.append(favourites.map(\.ranks))
            outcome.probabilities.append(
                zip(within, between).map { own, share in own.map { $0 * share } } + [[between[groups.count]]])
        }
        return outcome
    }
}

extension [Double] {
    /// Index of the first of the largest elements; 0 for none.
    var positionOfLargest: Int {
        var best = 0
        for index in indices where self[index] > self[best] { best = index }
        return best
    }
}
