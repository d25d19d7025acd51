import Decompositions
import RankSearch

/// Figures of a result that the tests compare.
extension SearchResult {
    /// `Σ (‖W − Ŵ‖ / ‖W‖)²`.
    var summedError: Double { choices.reduce(0) { $0 + $1.relativeError * $1.relativeError } }

    func removedParameters(_ problem: SearchProblem) -> Int {
        zip(problem.layers, choices).reduce(0) { $0 + $1.0.dense.parameters - $1.1.cost.parameters }
    }

    func removedMACs(_ problem: SearchProblem) -> Int {
        zip(problem.layers, choices).reduce(0) { $0 + $1.0.dense.macs - $1.1.cost.macs }
    }
}

extension SearchLayer {
    func family(_ id: String?) -> SearchFamily? { families.first { $0.decomposition.id == id } }

    /// Cost of the layer over all uses.
    func cost(_ family: SearchFamily, _ ranks: [Int]) -> Cost {
        let single = family.decomposition.cost(ranks: ranks, in: shape)
        return Cost(parameters: single.parameters, macs: single.macs * uses)
    }

    /// What the next step up from a choice costs more in parameters: a lattice step of its ranks, or dense.
    func stepCosts(_ choice: Choice, rankMultiple: Int) -> [Cost] {
        guard let family = family(choice.decomposition) else { return [] }
        let largest = family.decomposition.largestRanks(for: shape)
        var costs = [dense]
        for axis in choice.ranks.indices {
            var ranks = choice.ranks
            ranks[axis] = min((ranks[axis] / rankMultiple + 1) * rankMultiple, largest[axis])
            let raised = cost(family, ranks)
            if ranks != choice.ranks, raised.beats(dense) { costs.append(raised) }
        }
        return costs.map { Cost(parameters: $0.parameters - choice.cost.parameters, macs: $0.macs - choice.cost.macs) }
    }
}
