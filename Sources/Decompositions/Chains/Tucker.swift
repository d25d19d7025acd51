/// Tucker-2 with a rank on either side, `T[Cout, k, Cin] ≈ C ×₁ U₁ ×₃ U₂` (Kim et al., *Compression of deep
/// convolutional neural networks for fast and low power mobile applications*, ICLR 2016).
///
/// Given  `x → Conv k (Cin → Cout)`
/// Result `x → Conv 1 (Cin → r₂) → Conv k (r₂ → r₁), with stride, pads and dilation → Conv 1 (r₁ → Cout)`
///
/// Ranks: `[r₁, r₂]`, the output's side first. Parameters: `Cin·r₂ + k·r₁·r₂ + r₁·Cout`. The analysis gives the error
/// of the HOSVD's truncation exactly; the chain, improved by HOOI, has at most that error.
public struct Tucker: Decomposition {
    public let id = "tucker"
    public let summary = "three links, 1×1, k, 1×1, by Tucker-2 with a rank for either side"

    public init() {}

    public func applies(to layer: LayerShape) -> Bool { layer.kernelSize > 1 && smallestChainPays(in: layer) }

    public func largestRanks(for layer: LayerShape) -> [Int] {
        let ranks = TuckerTensor.largestRanks(for: layer)
        return [ranks.out, ranks.inner]
    }

    public func links(ranks: [Int], in layer: LayerShape) -> [FactorLink.Shape] {
        [
            layer.pointwiseLink(from: layer.inChannelsPerGroup, to: ranks[1]),
            layer.kernelLink(from: ranks[1], to: ranks[0]),
            layer.pointwiseLink(from: ranks[0], to: layer.outChannelsPerGroup),
        ]
    }

    public func analyze(
        weight: [Float], of layer: LayerShape, retainingFactors: Bool, seed: UInt64
    ) throws -> any RankAnalysis {
        let norm = try checkedSquaredNorm(of: weight, in: layer)
        let (energy, bases) = try TuckerTensor(weight, of: layer).energy(retainingBases: retainingFactors)
        return TuckerAnalysis(squaredNorm: norm, energy: energy, bases: bases)
    }

    public func factorize(
        weight: [Float], of layer: LayerShape, ranks: [Int], analysis: (any RankAnalysis)?, seed: UInt64
    ) throws -> FactorChain {
        let norm = try checkedSquaredNorm(of: weight, in: layer)
        try check(ranks: ranks, in: layer)
        let own = (analysis as? TuckerAnalysis).flatMap { $0.squaredNorm == norm ? $0.bases : nil }
        let weights = try TuckerTensor(weight, of: layer).factors(ranks[0], ranks[1], retained: own)
        return FactorChain(
            links: zip(links(ranks: ranks, in: layer), weights).map { FactorLink(shape: $0, weight: $1) })
    }
}

/// The errors of every pair of ranks.
struct TuckerAnalysis: RankAnalysis {
    let squaredNorm: Double
    let energy: CoreEnergy
    let bases: [TuckerTensor.Bases]?

    private var largest: [Int] { [energy.rows, energy.columns] }

    func squaredError(ranks: [Int]) throws -> Double {
        try checkRanks(ranks, largest: largest, of: "tucker")
        return energy.squaredError(ranks[0], ranks[1])
    }

    func mixture(of ranks: [[Int]], probabilities: [Double]) throws -> (squaredError: Double, gradient: [Double])? {
        try checkMixture(ranks, probabilities, largest: largest, of: "tucker")
        return energy.mixture(of: ranks, probabilities: probabilities)
    }
}
