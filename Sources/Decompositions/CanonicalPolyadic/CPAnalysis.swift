internal import LinearAlgebra
internal import Synchronization

/// CP of one layer at any rank, fitted when first asked for and kept.
///
/// CP has no nesting: each rank is a fit of its own, started from the one of a smaller rank. Which one depends on the
/// rank alone, so the results do not depend on the order of the questions.
final class CPAnalysis: RankAnalysis {
    let decomposition: String
    let squaredNorm: Double
    private let largest: Int
    private let tensors: [CPTensor]
    private let effort: CPEffort
    private let seed: UInt64
    /// By rank, one result per group.
    private let fits = Mutex<[Int: [CPResult]]>([:])

    init(
        _ tensors: [CPTensor], of decomposition: String, squaredNorm: Double, largest: Int, seed: UInt64,
        effort: CPEffort
    ) {
        self.tensors = tensors
        self.decomposition = decomposition
        self.squaredNorm = squaredNorm
        self.largest = largest
        self.seed = seed
        self.effort = effort
    }

    func squaredError(ranks: [Int]) throws -> Double {
        try results(ranks: ranks).reduce(0) { $0 + $1.squaredError }
    }

    /// No closed form: the models of two ranks share nothing.
    func mixture(of ranks: [[Int]], probabilities: [Double]) throws -> (squaredError: Double, gradient: [Double])? {
        try checkMixture(ranks, probabilities, largest: [largest], of: decomposition)
        return nil
    }

    func results(ranks: [Int]) throws -> [CPResult] {
        try checkRanks(ranks, largest: [largest], of: decomposition)
        return try fits.withLock { known in
            // From the smallest rank of the ladder that is not known yet.
            var missing: [Int] = []
            var rank = ranks[0]
            while rank > 0, known[rank] == nil {
                missing.append(rank)
                rank = effort.startsFromSmallerRank ? Self.predecessor(of: rank) : 0
            }
            for next in missing.reversed() {
                let smaller = effort.startsFromSmallerRank ? known[Self.predecessor(of: next)] : nil
                known[next] = try tensors.indices.map { group in
                    try tensors[group].fit(
                        rank: next, after: smaller?[group], effort: effort, seed: seed &+ UInt64(group))
                }
            }
            return known[ranks[0], default: []]
        }
    }

    /// The next rank below on the ladder 1, 2, 3, 4, 6, 8, 12, 16, …: two steps an octave.
    static func predecessor(of rank: Int) -> Int {
        if rank <= 2 { return rank - 1 }
        let octave = 1 << (Int.bitWidth - 1 - rank.leadingZeroBitCount)
        if rank == octave { return octave / 4 * 3 }
        let half = octave / 2 * 3
        return rank > half ? half : octave
    }
}

/// What `cp` and `cp4` have in common: the fit by group and the links of a chain of pointwise, depthwise and pointwise.
struct CPChain {
    /// The kernel's axes by link; one mode of the tensor for each entry.
    let carried: [[Int]]
    let effort: CPEffort

    func links(rank: Int, in layer: LayerShape) -> [FactorLink.Shape] {
        [layer.pointwiseLink(from: layer.inChannelsPerGroup, to: rank)]
            + carried.map { layer.depthwiseLink(rank: rank, axes: $0) }
            + [layer.pointwiseLink(from: rank, to: layer.outChannelsPerGroup)]
    }

    /// The rank from which on the chain has no fewer parameters than the layer, `Cin·Cout·k / (Cin + Cout + Σ k_n)`, or
    /// the largest that the tensor's rank can be, where that is less.
    func largestRank(in layer: LayerShape) -> Int {
        let (out, inner, size) = (layer.outChannelsPerGroup, layer.inChannelsPerGroup, layer.kernelSize)
        let perRank = out + inner + extents(in: layer).reduce(0, +)
        return max(1, min(out * inner * size / max(1, perRank), out * size, inner * size, out * inner))
    }

    func extents(in layer: LayerShape) -> [Int] {
        carried.map { axes in axes.reduce(1) { $0 * layer.kernel[$1] } }
    }

    func analysis(
        _ weight: [Float], _ layer: LayerShape, of id: String, squaredNorm: Double, seed: UInt64
    ) throws -> CPAnalysis {
        let tensor = try exchangingLastAxes(
            weight, layer.outChannels, layer.inChannelsPerGroup, layer.kernelSize)
        let count = layer.weightCountPerGroup
        let tensors = (0..<layer.groups).map { group in
            CPTensor(
                elements: Array(tensor[group * count..<(group + 1) * count]), out: layer.outChannelsPerGroup,
                kernel: extents(in: layer), inner: layer.inChannelsPerGroup)
        }
        return CPAnalysis(
            tensors, of: id, squaredNorm: squaredNorm, largest: largestRank(in: layer), seed: seed,
            effort: effort)
    }

    func chain(_ results: [CPResult], rank: Int, in layer: LayerShape) -> FactorChain {
        let shapes = links(rank: rank, in: layer)
        var weights = [[Float]](repeating: [], count: shapes.count)
        for result in results {
            let factors = result.factors
            // A link's weight has its output channels first: the terms, but for the last link.
            weights[0] += factors[factors.count - 1].transposed.matrix.elements
            for mode in carried.indices { weights[1 + mode] += factors[1 + mode].transposed.matrix.elements }
            weights[shapes.count - 1] += factors[0].elements
        }
        return FactorChain(links: zip(shapes, weights).map { FactorLink(shape: $0, weight: $1) })
    }
}
