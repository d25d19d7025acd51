internal import Decompositions

extension PreparedProblem {
    /// Gives back what a budget leaves over: while some layer can take its next larger candidate (a lattice step of its
    /// decomposition, or the dense layer) with less error and every reduction still holding, the step that lowers the
    /// error most for its cost is taken. Afterwards no single step fits, so the reduction overshoots by less than one
    /// candidate of one layer.
    ///
    /// Where errors are fits (CP) single steps would cost a fit each: such layers come last, those of largest error
    /// first, each with one leap to the largest rank that still fits.
    ///
    /// `choice` must meet the reductions. Cost: a few errors per layer, and a pass over the layers for each step taken.
    func fillingSlack(of choice: [Candidate]) throws -> [Candidate] {
        var choice = choice
        var slack = resources.indices.map { index in
            resources[index].capacity - choice.reduce(0) { $0 + $1.amounts[index] }
        }
        var steps = try layers.indices.map { try self.steps(of: $0, from: choice[$0]) }
        while true {
            var best: (layer: Int, candidate: Candidate, gain: Double)?
            for layer in layers.indices {
                // Slack only shrinks: what does not fit now never will.
                steps[layer].removeAll { step in
                    slack.indices.contains { step.amounts[$0] - choice[layer].amounts[$0] > slack[$0] }
                }
                for step in steps[layer] {
                    let gain = gain(from: choice[layer], to: step)
                    if let current = best, current.gain >= gain { continue }
                    best = (layer, step, gain)
                }
            }
            guard let best else { break }
            for index in slack.indices {
                slack[index] -= best.candidate.amounts[index] - choice[best.layer].amounts[index]
            }
            choice[best.layer] = best.candidate
            steps[best.layer] = try self.steps(of: best.layer, from: best.candidate)
        }
        try leap(&choice, &slack)
        return choice
    }

    private func leap(_ choice: inout [Candidate], _ slack: inout [Int]) throws {
        let fitted = layers.indices.filter { space(of: $0, choice[$0])?.isClosedForm == false }
        for layer in fitted.sorted(by: { (-choice[$0].error, $0) < (-choice[$1].error, $1) }) {
            guard let space = space(of: layer, choice[layer]) else { continue }
            let current = choice[layer]
            let raised = try space.leap(from: current.ranks) { cost in
                guard cost.beats(space.dense) else { return false }
                return slack.indices.allSatisfy { index in
                    let amount = Resource.amount(
                        of: cost, elementBytes: space.elementBytes, kind: resources[index].kind)
                    return amount - current.amounts[index] <= slack[index]
                }
            }
            guard let raised, raised.error < current.error else { continue }
            for index in slack.indices { slack[index] -= raised.amounts[index] - current.amounts[index] }
            choice[layer] = raised
        }
    }

    /// The space of a choice; `nil` if it is fixed or dense.
    private func space(of layer: Int, _ candidate: Candidate) -> RankSpace? {
        guard layers[layer].fixed == nil, let family = candidate.family else { return nil }
        return layers[layer].spaces.first { $0.family == family }
    }

    private func steps(of layer: Int, from candidate: Candidate) throws -> [Candidate] {
        guard let space = space(of: layer, candidate) else { return [] }
        let raised = space.isClosedForm ? try space.stepsUp(from: candidate.ranks) : []
        return (raised + [layers[layer].dense]).filter { $0.error < candidate.error }
    }

    /// Error saved for the share of the model that it costs.
    private func gain(from: Candidate, to: Candidate) -> Double {
        let cost = zip(shares(to), shares(from)).reduce(0) { $0 + max(0, $1.0 - $1.1) }
        return cost > 0 ? (from.error - to.error) / cost : .infinity
    }
}
