/// The multiple-choice knapsack over given options: one option per layer, least summed error, each resource within its
/// capacity.
///
/// 1. Lagrangian relaxation: for multipliers `λ ≥ 0` each layer takes the option of least `error + Σ_k λ_k · share_k`.
///    The smallest feasible `λ_k` is found by bisection (in the logarithm, since prices span many decades); with
///    several resources by rounds of such bisections, each with the others' multipliers held.
/// 2. Rounding from both sides. A layer with a flat spectrum goes from its smallest rank to dense at one value of `λ`,
///    so what is just feasible may leave much over. Hence a second start from just below each multiplier, which is
///    over capacity, and repair: moves that remove the most excess for the error they add. The better of the starts
///    counts.
/// 3. Improvement: single moves that still fit, then exchanges of two layers, until none helps.
///
/// With one resource the relaxation alone is within one hull segment of the optimum (METHOD §5).
///
/// Cost: about 40 passes over all options for each resource and round, at most 8 rounds.
struct KnapsackSolver {
    struct Solution {
        /// By layer, the index of the option.
        var picks: [Int]
        /// By resource, in units of summed relative error per share of the model.
        var multipliers: [Double]
    }

    let options: [[Candidate]]
    let capacities: [Int]
    /// By layer: errors, and shares of the model by resource, option after option.
    let errors: [[Double]]
    let shares: [[Double]]
    let limits: [Double]

    init(_ problem: PreparedProblem, options: [[Candidate]]) {
        self.options = options
        capacities = problem.resources.map(\.capacity)
        limits = problem.resources.map { $0.total > 0 ? Double($0.capacity) / Double($0.total) : 0 }
        errors = options.map { $0.map(\.error) }
        shares = options.map { $0.flatMap { problem.shares($0) } }
    }

    /// `nil` if no choice was found that keeps every capacity.
    func solve() -> Solution? {
        let multipliers = self.multipliers()
        var starts = [multipliers]
        for resource in multipliers.indices where multipliers[resource] > 0 {
            var below = multipliers
            below[resource] *= 1 - 1e-8
            starts.append(below)
        }
        var best: [Int]?
        for start in starts {
            var picks = select(start)
            if !isFeasible(picks) { picks = repaired(picks) }
            guard isFeasible(picks) else { continue }
            improve(&picks)
            if best.map({ error(picks) < error($0) }) ?? true { best = picks }
        }
        return best.map { Solution(picks: $0, multipliers: multipliers) }
    }

    private func error(_ picks: [Int]) -> Double {
        options.indices.reduce(0) { $0 + options[$1][picks[$1]].error }
    }

    /// The amount of a resource that a choice takes.
    func amount(_ picks: [Int], _ resource: Int) -> Int {
        var sum = 0
        for layer in options.indices { sum += options[layer][picks[layer]].amounts[resource] }
        return sum
    }

    func isFeasible(_ picks: [Int]) -> Bool {
        capacities.indices.allSatisfy { amount(picks, $0) <= capacities[$0] }
    }

    // MARK: Relaxation

    private func multipliers() -> [Double] {
        var multipliers = capacities.map { _ in 0.0 }
        for _ in 0..<(capacities.count == 1 ? 1 : 8) {
            let before = multipliers
            for resource in capacities.indices {
                multipliers[resource] = smallestFeasible(resource, multipliers)
            }
            if multipliers == before { break }
        }
        return multipliers
    }

    private func smallestFeasible(_ resource: Int, _ others: [Double]) -> Double {
        var multipliers = others
        func fits(_ value: Double) -> Bool {
            multipliers[resource] = value
            return amount(select(multipliers), resource) <= capacities[resource]
        }
        if fits(0) { return 0 }
        var low = -60.0
        var high = 60.0
        while high - low > 1e-9 {
            let middle = (low + high) / 2
            if fits(exp2Approximate(middle)) { high = middle } else { low = middle }
        }
        return exp2Approximate(high)
    }

    /// `2^x` to first order between powers of two: continuous and growing, which is all that bisection needs.
    private func exp2Approximate(_ x: Double) -> Double {
        let whole = x.rounded(.down)
        return Double(sign: .plus, exponent: Int(whole), significand: 1 + (x - whole))
    }

    /// By layer the option of least error plus price; of equal ones the first, which is never the dense layer.
    private func select(_ multipliers: [Double]) -> [Int] {
        let count = multipliers.count
        var picks: [Int] = []
        picks.reserveCapacity(options.count)
        for layer in options.indices {
            let errors = errors[layer]
            let shares = shares[layer]
            var best = 0
            var least = Double.infinity
            for option in errors.indices {
                var value = errors[option]
                for resource in 0..<count { value += multipliers[resource] * shares[option * count + resource] }
                if value < least {
                    least = value
                    best = option
                }
            }
            picks.append(best)
        }
        return picks
    }
}
