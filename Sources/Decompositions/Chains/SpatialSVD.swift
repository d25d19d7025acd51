internal import LinearAlgebra

/// A pair of links that share the kernel's axes between them, by the SVD of `W` as the matrix `[Cout·(k₁…), Cin·k₀]`
/// (Jaderberg et al., *Speeding up convolutional neural networks with low rank expansions*, 2014).
///
/// Given  `x → Conv k₀×k₁ (Cin → Cout)`
/// Result `x → Conv k₀×1 (Cin → R) → Conv 1×k₁ (R → Cout)`, stride, pads and dilation each on the link of their axis
///
/// Parameters: `R·(Cin·k₀ + k₁·Cout)`. In three dimensions the first axis goes against the other two.
public struct SpatialSVD: Decomposition {
    public let id = "spatial-svd"
    public let summary = "two links, k×1 then 1×k, by the SVD of the weight with its kernel axes apart"

    public init() {}

    public func applies(to layer: LayerShape) -> Bool {
        layer.kernel.count >= 2 && layer.kernelSize > 1 && smallestChainPays(in: layer)
    }

    public func largestRanks(for layer: LayerShape) -> [Int] {
        let first = layer.kernel.first ?? 1
        return [min(layer.outChannelsPerGroup * (layer.kernelSize / first), layer.inChannelsPerGroup * first)]
    }

    public func links(ranks: [Int], in layer: LayerShape) -> [FactorLink.Shape] {
        [
            layer.kernelLink(from: layer.inChannelsPerGroup, to: ranks[0], axes: [0]),
            layer.kernelLink(
                from: ranks[0], to: layer.outChannelsPerGroup, axes: Array(layer.kernel.indices.dropFirst())),
        ]
    }

    public func analyze(
        weight: [Float], of layer: LayerShape, retainingFactors: Bool, seed: UInt64
    ) throws -> any RankAnalysis {
        let norm = try checkedSquaredNorm(of: weight, in: layer)
        return try MatrixPairAnalysis(
            pair(weight, layer), of: id, squaredNorm: norm, retainingFactors: retainingFactors)
    }

    public func factorize(
        weight: [Float], of layer: LayerShape, ranks: [Int], analysis: (any RankAnalysis)?, seed: UInt64
    ) throws -> FactorChain {
        let norm = try checkedSquaredNorm(of: weight, in: layer)
        try check(ranks: ranks, in: layer)
        let forms = MatrixPairAnalysis.forms(in: analysis, of: id, squaredNorm: norm)
        let (left, right) = try pair(weight, layer).factors(rank: ranks[0], forms: forms)
        let shapes = links(ranks: ranks, in: layer)
        // `left` is [Cout, k₁…, R]; a weight has the kernel last.
        let second = try exchangingLastAxes(left, layer.outChannels, layer.kernelSize / layer.kernel[0], ranks[0])
        return FactorChain(links: [
            FactorLink(shape: shapes[0], weight: right), FactorLink(shape: shapes[1], weight: second),
        ])
    }

    private func pair(_ weight: [Float], _ layer: LayerShape) throws -> MatrixPair {
        let rest = layer.kernelSize / layer.kernel[0]
        let columns = layer.inChannelsPerGroup * layer.kernel[0]
        return MatrixPair(
            elements: try exchangingLastAxes(weight, layer.outChannels, columns, rest),
            rows: layer.outChannelsPerGroup * rest, columns: columns, groups: layer.groups)
    }
}
