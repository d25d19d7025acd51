/// The course of a multi-step search (METHOD §3): for each layer and family what the current step looks at.
struct Refinement: Sendable {
    /// One family of one layer in a step.
    struct Group: Sendable {
        var sampling: Sampling
        var candidates: [Candidate]
    }

    let problem: PreparedProblem
    /// By how much the interval shrinks from step to step.
    let factor: Int
    /// Half-intervals that the next step reaches to each side of a choice.
    let widening: Int
    /// Most candidates of a family in one step.
    let limit: Int
    private(set) var step = 1
    /// By layer, then by space.
    private(set) var groups: [[Group]]

    /// `count`: candidates of a family in closed form in the first step.
    init(_ problem: PreparedProblem, count: Int, limit: Int, factor: Int, widening: Int) throws {
        self.problem = problem
        self.factor = factor
        self.limit = limit
        self.widening = widening
        groups = []
        for layer in problem.layers {
            var row: [Group] = []
            for (space, always) in zip(layer.spaces, layer.anchors) {
                let sampling = space.wholeSpace(count: space.isClosedForm ? count : Self.fittedCount)
                row.append(
                    Group(sampling: sampling, candidates: try space.candidates(sampling, always: always, limit: limit)))
            }
            groups.append(row)
        }
    }

    /// Candidates of a family whose errors are fits.
    static let fittedCount = 6

    /// What a layer may become in this step: the families' candidates in turn, the dense layer last; or the fixed ranks
    /// alone.
    func options(_ layer: Int) -> [Candidate] {
        if let fixed = problem.layers[layer].fixed { return [fixed] }
        return groups[layer].flatMap(\.candidates) + [problem.layers[layer].dense]
    }

    /// Goes on to the next step. `centres`: by layer and space the ranks to look around; `chosen`: by layer what the
    /// step chose. Families without a closed form are looked at more closely only where they were chosen.
    ///
    /// Returns false, and changes nothing, once single ranks have been searched everywhere.
    mutating func advance(centres: [[[Int]]], chosen: [Candidate]) throws -> Bool {
        var next = groups
        var moved = false
        for (index, layer) in problem.layers.enumerated() {
            for (position, space) in layer.spaces.enumerated() {
                let isChosen = chosen[index].family == space.family
                let group = groups[index][position]
                if group.sampling.isFinest || !(space.isClosedForm || isChosen) { continue }
                let centre = isChosen ? chosen[index].ranks : centres[index][position]
                let sampling = group.sampling.refined(
                    around: centre, factor: space.isClosedForm ? factor : 4, widening: widening)
                next[index][position] = Group(
                    sampling: sampling,
                    candidates: try space.candidates(sampling, always: layer.anchors[position], limit: limit))
                moved = true
            }
        }
        guard moved else { return false }
        groups = next
        step += 1
        return true
    }
}
