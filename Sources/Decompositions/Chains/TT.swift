/// Tensor train with tied ranks, the published form: three cores in the mode order `Cout | k | Cin`, `r₁ = r₂ = r`.
///
/// Given  `x → Conv k (Cin → Cout)`
/// Result `x → Conv 1 (Cin → r) → Conv k (r → r), with stride, pads and dilation → Conv 1 (r → Cout)`
///
/// Parameters: `Cin·r + k·r² + r·Cout`. A mode that is smaller than `r` keeps its own extent, so that the largest rank
/// is exact where input and output differ. The analysis gives the error of the HOSVD's truncation exactly; the chain,
/// improved by HOOI, has at most that error.
public struct TT: Decomposition {
    public let id = "tt"
    public let summary = "three links, 1×1, k, 1×1, by a tensor train with one rank"

    public init() {}

    public func applies(to layer: LayerShape) -> Bool { layer.kernelSize > 1 && smallestChainPays(in: layer) }

    public func largestRanks(for layer: LayerShape) -> [Int] {
        let ranks = TuckerTensor.largestRanks(for: layer)
        return [max(ranks.out, ranks.inner)]
    }

    public func links(ranks: [Int], in layer: LayerShape) -> [FactorLink.Shape] {
        Tucker().links(ranks: untied(ranks, layer), in: layer)
    }

    public func analyze(
        weight: [Float], of layer: LayerShape, retainingFactors: Bool, seed: UInt64
    ) throws -> any RankAnalysis {
        let norm = try checkedSquaredNorm(of: weight, in: layer)
        let (energy, bases) = try TuckerTensor(weight, of: layer).energy(retainingBases: retainingFactors)
        return TTAnalysis(
            errors: SpectrumAnalysis(
                decomposition: id, squaredNorm: norm, spectrum: NestedSpectrum(terms: energy.tiedTerms)),
            bases: bases)
    }

    public func factorize(
        weight: [Float], of layer: LayerShape, ranks: [Int], analysis: (any RankAnalysis)?, seed: UInt64
    ) throws -> FactorChain {
        let norm = try checkedSquaredNorm(of: weight, in: layer)
        try check(ranks: ranks, in: layer)
        let own = (analysis as? TTAnalysis).flatMap { $0.squaredNorm == norm ? $0.bases : nil }
        let both = untied(ranks, layer)
        let weights = try TuckerTensor(weight, of: layer).factors(both[0], both[1], retained: own)
        return FactorChain(
            links: zip(links(ranks: ranks, in: layer), weights).map { FactorLink(shape: $0, weight: $1) })
    }

    /// `[r₁, r₂]`, each at most what its mode can hold.
    private func untied(_ ranks: [Int], _ layer: LayerShape) -> [Int] {
        let largest = TuckerTensor.largestRanks(for: layer)
        return [min(ranks[0], largest.out), min(ranks[0], largest.inner)]
    }
}

/// The errors by rank, and the bases of the HOSVD when they are to be had later.
struct TTAnalysis: RankAnalysis {
    let errors: SpectrumAnalysis
    let bases: [TuckerTensor.Bases]?

    var squaredNorm: Double { errors.squaredNorm }
    func squaredError(ranks: [Int]) throws -> Double { try errors.squaredError(ranks: ranks) }

    func mixture(of ranks: [[Int]], probabilities: [Double]) throws -> (squaredError: Double, gradient: [Double])? {
        try errors.mixture(of: ranks, probabilities: probabilities)
    }
}
