internal import LinearAlgebra

/// A pair of links by the singular value decomposition of the weight as a matrix, `W[Cout, Cin·k…] ≈ (U√Σ)(√Σ·Vᵀ)`.
///
/// Given  `x → Conv k (Cin → Cout)`, or a linear layer
/// Result `x → Conv k (Cin → R), with stride, pads and dilation → Conv 1 (R → Cout)`, or two linear layers
///
/// Parameters: `R·(Cin·k + Cout)`. Groups are factorized each on its own with one rank. Eckart and Young (1936): no
/// pair of this rank has a smaller error.
public struct SVD: Decomposition {
    public let id = "svd"
    public let summary = "two links by the SVD of the weight: k then 1×1; for linear layers and 1×1 convolutions too"

    public init() {}

    public func applies(to layer: LayerShape) -> Bool { smallestChainPays(in: layer) }

    public func largestRanks(for layer: LayerShape) -> [Int] {
        [min(layer.outChannelsPerGroup, layer.inChannelsPerGroup * layer.kernelSize)]
    }

    public func links(ranks: [Int], in layer: LayerShape) -> [FactorLink.Shape] {
        [
            layer.kernelLink(from: layer.inChannelsPerGroup, to: ranks[0]),
            layer.pointwiseLink(from: ranks[0], to: layer.outChannelsPerGroup),
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
        return FactorChain(links: [
            FactorLink(shape: shapes[0], weight: right), FactorLink(shape: shapes[1], weight: left),
        ])
    }

    private func pair(_ weight: [Float], _ layer: LayerShape) -> MatrixPair {
        MatrixPair(
            elements: weight, rows: layer.outChannelsPerGroup,
            columns: layer.inChannelsPerGroup * layer.kernelSize, groups: layer.groups)
    }
}
