/// What a search refuses and why. The codes are stable:
///
/// | code | meaning |
/// |---|---|
/// | `search.unreachable` | the budget cannot be met; `reachable` and the message say what can |
/// | `search.bad-budget` | a fraction or an error bound outside its range |
/// | `search.bad-rank-multiple` | a rank multiple below 1 |
/// | `search.bad-total` | a layer costs more than the whole model, or a figure is negative |
/// | `search.non-finite` | an error or norm of `layer` is NaN or infinite |
/// | `search.rank-count` | the ranks set for `layer` fit none of its decompositions |
/// | `search.rank-out-of-range` | a rank set for `layer` is below 1 or above the decomposition's largest |
/// | `search.rank-does-not-pay` | the ranks set for `layer` cost as much as the dense layer, or more |
public struct SearchError: Error, Sendable, Hashable {
    public var code: String
    public var message: String
    /// What the person can do, as one sentence.
    public var remedy: String
    /// The layer it is about.
    public var layer: String?
    /// With `search.unreachable`: for each reduction that was asked, the largest that can be had on its own.
    public var reachable: Budget?

    public init(
        code: String, message: String, remedy: String, layer: String? = nil, reachable: Budget? = nil
    ) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.layer = layer
        self.reachable = reachable
    }
}

extension SearchError: CustomStringConvertible {
    public var description: String { "\(message) [\(code)]\n  remedy: \(remedy)" }
}

extension SearchError {
    /// A NaN or an infinity among the figures of a layer: never to be compared, since every comparison with it is false
    /// and would select some rank in silence.
    static func nonFinite(_ what: String, layer: String, decomposition: String) -> SearchError {
        SearchError(
            code: "search.non-finite",
            message: "\(what) of layer '\(layer)' under \(decomposition) is not a finite number",
            remedy: "exclude the layer, or leave out \(decomposition), and report the model if its weights are finite",
            layer: layer)
    }
}
