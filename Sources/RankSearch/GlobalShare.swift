internal import Decompositions

/// One global parameter for all layers, as large as the budget lets it be: what the manual choices share.
///
/// Each layer has a path of states from its smallest ranks up to dense, and leaves a state when the parameter exceeds
/// the state's threshold. All these steps are sorted by threshold, then by layer, and the longest prefix that keeps the
/// reductions is taken: the limit of bisecting the parameter, with layers of equal threshold told apart by their order.
/// The next step in order would break a reduction, so the overshoot is less than one candidate of one layer.
///
/// Only the first decomposition of a layer that pays is used: whoever chooses by hand names one. With a bound on the
/// error a layer starts at its first state that keeps it; with the bound alone, `PreparedProblem.separableResult`.
struct GlobalShare {
    /// The path of a layer in its rank space.
    let path: (RankSpace) throws -> RankPath

    func search(_ problem: SearchProblem, settings: SearchSettings) throws -> SearchResult {
        let prepared = try PreparedProblem(problem, settings: settings, firstFamilyOnly: true)
        if prepared.resources.isEmpty { return prepared.separableResult(probabilities: false) }
        var states: [Int] = []
        var paths: [RankPath?] = []
        for layer in prepared.layers {
            let path = try layer.spaces.first.map { try self.path($0) }
            paths.append(path)
            let first = try layer.spaces.first.map {
                try path?.firstState(of: $0, within: prepared.budget.largestError) ?? 0
            }
            states.append(first ?? 0)
        }
        let amounts = prepared.layers.indices.map { layer in
            self.amounts(prepared.layers[layer], paths[layer])
        }
        var used = prepared.resources.indices.map { index in
            prepared.layers.indices.reduce(0) { $0 + amounts[$1][states[$1]][index] }
        }
        guard zip(used, prepared.resources).allSatisfy({ $0 <= $1.capacity }) else {
            throw prepared.unreachable(least: used)
        }
        for event in events(paths, from: states) {
            let from = amounts[event.layer][event.state]
            let to = amounts[event.layer][event.state + 1]
            let next = used.indices.map { used[$0] + to[$0] - from[$0] }
            guard zip(next, prepared.resources).allSatisfy({ $0 <= $1.capacity }) else { break }
            used = next
            states[event.layer] = event.state + 1
        }
        var choice: [Candidate] = []
        var steps: [SearchStep] = []
        for (index, layer) in prepared.layers.enumerated() {
            guard let space = layer.spaces.first, let path = paths[index] else {
                choice.append(layer.fixed ?? layer.dense)
                continue
            }
            let candidate = try self.candidate(states[index], of: path, in: space) ?? layer.dense
            choice.append(candidate)
            steps.append(
                SearchStep(
                    step: 1, layer: layer.id, decomposition: space.decomposition.id, candidates: path.states,
                    probabilities: [], multiplier: nil, chosen: candidate.ranks))
        }
        return prepared.result(choice, steps: steps)
    }

    /// The candidate of a state; `nil` for dense. Errors of fitted decompositions may rise with rank: a state that
    /// breaks the bound on the error gives way to the next smaller one that keeps it.
    private func candidate(_ state: Int, of path: RankPath, in space: RankSpace) throws -> Candidate? {
        guard state < path.states.count else { return nil }
        for lower in path.states[...state].reversed() {
            if let candidate = try space.candidate(lower) { return candidate }
        }
        return nil
    }

    /// By state, then by resource, what the layer costs; the last state is dense.
    private func amounts(_ layer: PreparedLayer, _ path: RankPath?) -> [[Int]] {
        guard let space = layer.spaces.first, let path else { return [(layer.fixed ?? layer.dense).amounts] }
        let factorized = path.states.map { ranks in
            let cost = space.cost(ranks)
            return space.kinds.map { Resource.amount(of: cost, elementBytes: space.elementBytes, kind: $0) }
        }
        return factorized + [layer.dense.amounts]
    }

    /// The steps out of each state at or after the layer's first one, in the order in which a growing parameter takes
    /// them.
    private func events(_ paths: [RankPath?], from states: [Int]) -> [(threshold: Double, layer: Int, state: Int)] {
        var events: [(threshold: Double, layer: Int, state: Int)] = []
        for (layer, path) in paths.enumerated() {
            guard let path else { continue }
            for state in path.states.indices where state >= states[layer] {
                events.append((path.thresholds[state], layer, state))
            }
        }
        return events.sorted { ($0.threshold, $0.layer, $0.state) < ($1.threshold, $1.layer, $1.state) }
    }
}
