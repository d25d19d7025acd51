/// Canonical polyadic decomposition of `T[Cout, k, Cin]` (Lebedev et al., *Speeding-up convolutional neural networks
/// using fine-tuned CP-decomposition*, ICLR 2015), the kernel's positions as one mode.
///
/// Given  `x → Conv k (Cin → Cout)`
/// Result `x → Conv 1 (Cin → R) → depthwise Conv k (R), with stride, pads and dilation → Conv 1 (R → Cout)`
///
/// Parameters: `R·(Cin + k + Cout)`. Fitted by alternating least squares with bounded sensitivity (Phan et al., *Stable
/// low-rank tensor decomposition for compression of convolutional neural network*, ECCV 2020); errors are those
/// measured.
public struct CP: Decomposition {
    public let id = "cp"
    public let summary = "three links, 1×1, depthwise k, 1×1, by canonical polyadic decomposition"

    private let effort: CPEffort

    public init(effort: CPEffort = CPEffort()) { self.effort = effort }

    public func applies(to layer: LayerShape) -> Bool { layer.kernelSize > 1 && smallestChainPays(in: layer) }

    public func largestRanks(for layer: LayerShape) -> [Int] { [chain(layer).largestRank(in: layer)] }

    public func links(ranks: [Int], in layer: LayerShape) -> [FactorLink.Shape] {
        chain(layer).links(rank: ranks[0], in: layer)
    }

    /// Fits nothing yet: the analysis fits a rank when asked for it, and keeps the tensor and the factors for that
    /// whether or not `retainingFactors` is set.
    public func analyze(
        weight: [Float], of layer: LayerShape, retainingFactors: Bool, seed: UInt64
    ) throws -> any RankAnalysis {
        let norm = try checkedSquaredNorm(of: weight, in: layer)
        return try chain(layer).analysis(weight, layer, of: id, squaredNorm: norm, seed: seed)
    }

    public func factorize(
        weight: [Float], of layer: LayerShape, ranks: [Int], analysis: (any RankAnalysis)?, seed: UInt64
    ) throws -> FactorChain {
        let norm = try checkedSquaredNorm(of: weight, in: layer)
        try check(ranks: ranks, in: layer)
        let own = (analysis as? CPAnalysis).flatMap { $0.decomposition == id && $0.squaredNorm == norm ? $0 : nil }
        let fits = try own ?? chain(layer).analysis(weight, layer, of: id, squaredNorm: norm, seed: seed)
        return chain(layer).chain(try fits.results(ranks: ranks), rank: ranks[0], in: layer)
    }

    private func chain(_ layer: LayerShape) -> CPChain {
        CPChain(carried: [Array(layer.kernel.indices)], effort: effort)
    }
}
