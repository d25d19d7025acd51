internal import Decompositions

extension PreparedProblem {
    /// The answer where no reduction is asked, the same for every strategy.
    ///
    /// With an error bound per layer and nothing else the layers do not compete: the largest saving is the cheapest
    /// candidate of each layer that keeps the bound, cheapest by the mean of its shares of the model's parameters and
    /// MACs. It is also where RENE's loss `L · L_r^μ` on these candidates tends as μ grows. Without a bound either,
    /// nothing was asked and layers stay dense. Fixed ranks hold in both cases.
    ///
    /// `probabilities`: whether the steps carry them (all on the choice).
    func separableResult(probabilities: Bool) -> SearchResult {
        var choice: [Candidate] = []
        var steps: [SearchStep] = []
        for layer in layers {
            if let fixed = layer.fixed {
                choice.append(fixed)
                continue
            }
            var best = layer.dense
            if budget.largestError != nil {
                for candidate in layer.cheapest.flatMap(\.self) where meanShare(candidate.cost) < meanShare(best.cost) {
                    best = candidate
                }
            }
            choice.append(best)
            for (space, candidates) in zip(layer.spaces, layer.cheapest) {
                let isChosen = best.family == space.family
                steps.append(
                    SearchStep(
                        step: 1, layer: layer.id, decomposition: space.decomposition.id,
                        candidates: candidates.map(\.ranks),
                        probabilities: probabilities
                            ? candidates.map { isChosen && $0.ranks == best.ranks ? 1 : 0 } : [],
                        multiplier: nil, chosen: isChosen ? best.ranks : []))
            }
        }
        return result(choice, steps: steps)
    }
}
