internal import Decompositions

/// Exact budgeted allocation: the multiple-choice knapsack of METHOD §5,
/// `min Σᵢ ‖Wᵢ − Ŵᵢ‖² / ‖Wᵢ‖²` over one candidate per layer such that every reduction holds.
///
/// Each step solves it over at most 64 candidates per layer and family (`KnapsackSolver`: Lagrange multipliers by
/// bisection, then repair and exchange), and the next looks more closely around what was chosen, down to single ranks.
/// Errors fall convexly with rank for the decompositions with a closed form, so that the step's choice lies next to
/// that of the whole space.
///
/// With no reduction asked the layers are separable: `PreparedProblem.separableResult`.
public struct Knapsack: SearchStrategy {
    public let id = "knapsack"
    public let summary = "exact budgeted allocation: least summed relative error, by Lagrange multipliers"

    public init() {}

    public func search(_ problem: SearchProblem, settings: SearchSettings) throws -> SearchResult {
        let prepared = try PreparedProblem(problem, settings: settings)
        if prepared.resources.isEmpty { return prepared.separableResult(probabilities: false) }
        var refinement = try Refinement(
            prepared, count: RankSpace.candidateLimit - 4, limit: RankSpace.candidateLimit, factor: 10, widening: 2)
        var best: [Candidate]?
        var records: [SearchStep] = []
        while true {
            let options = prepared.layers.indices.map { refinement.options($0) }
            guard let solution = KnapsackSolver(prepared, options: options).solve() else {
                throw prepared.unreachable()
            }
            let choice = zip(options, solution.picks).map { $0[$1] }
            // A step's candidates include the last choice, but a heuristic may still miss it.
            if best.map({ choice.summedError <= $0.summedError }) ?? true { best = choice }
            records += self.records(refinement, choice: choice, multipliers: solution.multipliers)
            let centres = self.centres(refinement, multipliers: solution.multipliers)
            guard try refinement.advance(centres: centres, chosen: choice) else { break }
        }
        guard let best else { throw prepared.unreachable() }
        return prepared.result(try prepared.fillingSlack(of: best), steps: records)
    }

    /// Within each family the candidate of least error plus price.
    private func centres(_ refinement: Refinement, multipliers: [Double]) -> [[[Int]]] {
        refinement.groups.map { row in
            row.map { group in
                let price = { (candidate: Candidate) in
                    zip(multipliers, refinement.problem.shares(candidate)).reduce(candidate.error) {
                        $0 + $1.0 * $1.1
                    }
                }
                return group.candidates.min { price($0) < price($1) }?.ranks ?? []
            }
        }
    }

    private func records(_ refinement: Refinement, choice: [Candidate], multipliers: [Double]) -> [SearchStep] {
        var records: [SearchStep] = []
        for (index, layer) in refinement.problem.layers.enumerated() {
            for (space, group) in zip(layer.spaces, refinement.groups[index]) {
                records.append(
                    SearchStep(
                        step: refinement.step, layer: layer.id, decomposition: space.decomposition.id,
                        candidates: group.candidates.map(\.ranks), probabilities: [],
                        multiplier: multipliers.max(),
                        chosen: choice[index].family == space.family ? choice[index].ranks : []))
            }
        }
        return records
    }
}

extension [Candidate] {
    /// `Σ ‖W − Ŵ‖² / ‖W‖²` over the layers.
    var summedError: Double { reduce(0) { $0 + $1.error } }
}
