internal import Decompositions

/// RENE with closed forms and budgets: continuous relaxation of the ranks, multi-step refinement (Aghababaei-Harandi &
/// Amini, arXiv 2409.03555; METHOD §3–§5).
///
/// In each step every layer has logits over its candidates, the dense layer the explicit last; gradient descent on
/// `log L + μ log L_r` (`RelaxedLoss`) moves them; the exponent `μ` is bisected until the candidates of largest
/// probability keep the reductions (`ReneDescent`). The next step looks at `[r̄ − s/2, r̄ + s/2]` around each family's
/// best rank, with `s ← max(1, ⌊s/10⌋)`, until single ranks have been searched. What the budget leaves over is given
/// back (`fillingSlack`). There are no factors to train, hence no weight steps and no warm-up.
///
/// With no reduction asked the loss is separable: `PreparedProblem.separableResult`.
public struct Rene: SearchStrategy {
    public let id = "rene"
    public let summary = "continuous relaxation with closed-form mixture errors, refined step by step (default)"

    /// Candidates of a family in closed form in the first step; the published grids have 9 and 10.
    static let firstCount = 24

    /// How a descent goes.
    var optimizer = ReneOptimizer()

    public init() {}

    public func search(_ problem: SearchProblem, settings: SearchSettings) throws -> SearchResult {
        let prepared = try PreparedProblem(problem, settings: settings)
        if prepared.resources.isEmpty { return prepared.separableResult(probabilities: true) }
        var refinement = try Refinement(prepared, count: Self.firstCount, limit: 32, factor: 10, widening: 1)
        var best: [Candidate]?
        var chosen: [Candidate]?
        var descent = ReneDescent(problem: prepared, optimizer: optimizer)
        var records: [SearchStep] = []
        while true {
            let outcome = try descent.run(refinement, fallback: chosen)
            chosen = outcome.choice
            let filled = try prepared.fillingSlack(of: outcome.choice)
            if best.map({ filled.summedError <= $0.summedError }) ?? true { best = filled }
            records += self.records(refinement, outcome)
            guard try refinement.advance(centres: outcome.centres, chosen: outcome.choice) else { break }
        }
        guard let best else { throw prepared.unreachable() }
        return prepared.result(best, steps: records)
    }

    /// For each layer one record by family, with the probabilities of its candidates among all of the layer's, and one
    /// for the dense layer, whose only candidate has no ranks.
    private func records(_ refinement: Refinement, _ outcome: ReneDescent.Outcome) -> [SearchStep] {
        var records: [SearchStep] = []
        for (index, layer) in refinement.problem.layers.enumerated() where !layer.spaces.isEmpty {
            let chosen = outcome.choice[index]
            for (position, space) in layer.spaces.enumerated() {
                records.append(
                    SearchStep(
                        step: refinement.step, layer: layer.id, decomposition: space.decomposition.id,
                        candidates: refinement.groups[index][position].candidates.map(\.ranks),
                        probabilities: outcome.probabilities[index][position], multiplier: outcome.multiplier,
                        chosen: chosen.family == space.family ? chosen.ranks : []))
            }
            records.append(
                SearchStep(
                    step: refinement.step, layer: layer.id, decomposition: nil, candidates: [[]],
                    probabilities: outcome.probabilities[index][layer.spaces.count], multiplier: outcome.multiplier,
                    chosen: []))
        }
        return records
    }
}
