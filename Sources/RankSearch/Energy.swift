/// The manual choice of one retained energy: every layer gets its smallest rank that retains the same share of
/// `‖W‖²`, the largest share that the budget allows; where that rank does not pay, the layer stays dense. Of a layer's
/// decompositions only the first that pays is used (`GlobalShare`); with several ranks, ranks in the proportion of the
/// largest ones.
public struct Energy: SearchStrategy {
    public let id = "energy"
    public let summary = "one retained energy for all layers"

    public init() {}

    public func search(_ problem: SearchProblem, settings: SearchSettings) throws -> SearchResult {
        try GlobalShare(path: { try RankPath(energiesOf: $0, sparse: 16) }).search(problem, settings: settings)
    }
}
