/// The manual choice of one global rank: every layer gets the same share of its largest rank, the largest share that
/// the budget allows; where that rank does not pay, the layer stays dense. Of a layer's decompositions only the first
/// that pays is used (`GlobalShare`).
public struct Uniform: SearchStrategy {
    public let id = "uniform"
    public let summary = "one share of the largest rank for all layers"

    public init() {}

    public func search(_ problem: SearchProblem, settings: SearchSettings) throws -> SearchResult {
        try GlobalShare(path: { RankPath(sharesOf: $0) }).search(problem, settings: settings)
    }
}
