/// Canonical polyadic decomposition with each axis of the kernel as a mode of its own: four links in two dimensions
/// (Lebedev et al., ICLR 2015), five in three.
///
/// Given  `x → Conv k₀×k₁ (Cin → Cout)`
/// Result `x → Conv 1 (Cin → R) → depthwise Conv k₀×1 (R) → depthwise Conv 1×k₁ (R) → Conv 1 (R → Cout)`, stride, pads
///        and dilation each on the link of their axis
///
/// Parameters: `R·(Cin + k₀ + k₁ + Cout)`. An axis of extent 1 has no link of its own; the first depthwise link carries
/// it. Fitted as `cp` is.
public struct CP4: Decomposition {
    public let id = "cp4"
    public let summary = "four links, 1×1, depthwise k×1, depthwise 1×k, 1×1, by canonical polyadic decomposition"

    private let effort: CPEffort

    public init(effort: CPEffort = CPEffort()) { self.effort = effort }

    public func applies(to layer: LayerShape) -> Bool {
        layer.kernel.count { $0 > 1 } >= 2 && smallestChainPays(in: layer)
    }

    public func largestRanks(for layer: LayerShape) -> [Int] { [chain(layer).largestRank(in: layer)] }

    public func links(ranks: [Int], in layer: LayerShape) -> [FactorLink.Shape] {
        chain(layer).links(rank: ranks[0], in: layer)
    }

    /// As of `cp`: fits a rank when asked for it.
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
        let long = layer.kernel.indices.filter { layer.kernel[$0] > 1 }
        let short = layer.kernel.indices.filter { layer.kernel[$0] == 1 }
        var carried = long.map { [$0] }
        if !carried.isEmpty { carried[0] = (carried[0] + short).sorted() }
        return CPChain(carried: carried, effort: effort)
    }
}
