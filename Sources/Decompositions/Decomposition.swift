/// A way to write a layer's weight as a chain of smaller ones. One file and one line in `DecompositionRegistry` each.
public protocol Decomposition: Sendable {
    /// What the user writes after `--decomposition`, and what reports and node names use.
    var id: String { get }
    /// One line for `rene plugins` and the documentation.
    var summary: String { get }

    /// Whether the layer has this form at all (kind, kernel, groups, degenerate extents).
    func applies(to layer: LayerShape) -> Bool

    /// The number of free ranks, and the largest useful value of each: at `largestRanks` the chain is exact where the
    /// decomposition can be (SVD, TT, Tucker-2, spatial SVD); for CP the bound of METHOD §2.
    func largestRanks(for layer: LayerShape) -> [Int]

    /// The links at these ranks; `ranks` has as many entries as `largestRanks`.
    func links(ranks: [Int], in layer: LayerShape) -> [FactorLink.Shape]

    /// One pass over the weight, after which the error at any rank is cheap. Throws `decomposition.non-finite-weight`,
    /// `decomposition.degenerate` or an error of LAPACK.
    ///
    /// `retainingFactors` keeps what `factorize` needs (the singular vectors) inside the analysis, so that the work is
    /// done once, at the cost of memory of the order of the weight; without it only the errors are kept.
    func analyze(
        weight: [Float], of layer: LayerShape, retainingFactors: Bool, seed: UInt64
    ) throws -> any RankAnalysis

    /// The chain at these ranks. `analysis` is one of this decomposition for the same weight, or `nil`.
    func factorize(
        weight: [Float], of layer: LayerShape, ranks: [Int], analysis: (any RankAnalysis)?, seed: UInt64
    ) throws -> FactorChain
}

extension Decomposition {
    public func cost(ranks: [Int], in layer: LayerShape) -> Cost { links(ranks: ranks, in: layer).cost(in: layer) }
}

/// The errors of one layer under one decomposition, at every rank.
public protocol RankAnalysis: Sendable {
    /// `‖W‖²_F`.
    var squaredNorm: Double { get }

    /// `‖W − Ŵ(ranks)‖²_F`; exact or, for CP, as measured by a fit (which this call may compute).
    func squaredError(ranks: [Int]) throws -> Double

    /// `‖W − Σ_k p_k Ŵ(ranks_k)‖²_F` and its gradient in `p`, in closed form (METHOD §4). `nil` where there is none: the
    /// caller then uses the bound `Σ_k p_k ‖W − Ŵ(ranks_k)‖²`.
    func mixture(of ranks: [[Int]], probabilities: [Double]) throws -> (squaredError: Double, gradient: [Double])?
}

extension RankAnalysis {
    /// `‖W − Ŵ‖_F / ‖W‖_F`; 0 for a weight of zeros.
    public func relativeError(ranks: [Int]) throws -> Double {
        let error = try max(0, squaredError(ranks: ranks))
        return squaredNorm > 0 ? (error / squaredNorm).squareRoot() : 0
    }
}
