import Decompositions
import Synchronization

/// How often an analysis was asked, over all analyses that share the counter.
final class CallCounter: Sendable {
    private let calls = Mutex<(errors: Int, mixtures: Int)>((0, 0))

    var errors: Int { calls.withLock { $0.errors } }
    var mixtures: Int { calls.withLock { $0.mixtures } }
    func countError() { calls.withLock { $0.errors += 1 } }
    func countMixture() { calls.withLock { $0.mixtures += 1 } }
}

/// An SVD whose singular values are given instead of computed: truncations are nested.
struct NestedSVD: Decomposition {
    var id = "svd"
    let summary = "given singular values"

    func applies(to layer: LayerShape) -> Bool { true }

    func largestRanks(for layer: LayerShape) -> [Int] {
        [min(layer.inChannels * layer.kernelSize, layer.outChannels)]
    }

    func links(ranks: [Int], in layer: LayerShape) -> [FactorLink.Shape] {
        let all = Array(layer.kernel.indices)
        return [
            FactorLink.Shape(
                inChannels: layer.inChannels, outChannels: ranks[0], kernel: layer.kernel, axes: all),
            FactorLink.Shape(
                inChannels: ranks[0], outChannels: layer.outChannels, kernel: layer.kernel.map { _ in 1 }, axes: []),
        ]
    }

    func analyze(
        weight: [Float], of layer: LayerShape, retainingFactors: Bool, seed: UInt64
    ) throws -> any RankAnalysis { throw NotUsed() }

    func factorize(
        weight: [Float], of layer: LayerShape, ranks: [Int], analysis: (any RankAnalysis)?, seed: UInt64
    ) throws -> FactorChain { throw NotUsed() }
}

/// Searches never factorize.
struct NotUsed: Error {}

/// `‖W − Σ p_k Ŵ_k‖² = Σ_j σ_j² (1 − c_j)²` with the tail mass `c_j = Σ_{r_k > j} p_k`.
struct SpectrumAnalysis: RankAnalysis {
    let squares: [Double]
    /// `tails[r]`: the error at rank r.
    let tails: [Double]
    let counter: CallCounter

    init(singularValues: [Double], counter: CallCounter = CallCounter()) {
        squares = singularValues.map { $0 * $0 }
        var tails = [Double](repeating: 0, count: squares.count + 1)
        for index in squares.indices.reversed() { tails[index] = tails[index + 1] + squares[index] }
        self.tails = tails
        self.counter = counter
    }

    var squaredNorm: Double { tails[0] }

    func squaredError(ranks: [Int]) throws -> Double {
        counter.countError()
        return tails[ranks[0]]
    }

    func mixture(of ranks: [[Int]], probabilities: [Double]) throws -> (squaredError: Double, gradient: [Double])? {
        counter.countMixture()
        var mass = [Double](repeating: 0, count: squares.count + 1)
        for (rank, probability) in zip(ranks, probabilities) { mass[rank[0]] += probability }
        // kept[j] = Σ_{r > j} p
        var kept = 0.0
        var error = 0.0
        var slopes = [Double](repeating: 0, count: squares.count + 1)
        for index in squares.indices.reversed() {
            kept += mass[index + 1]
            error += squares[index] * (1 - kept) * (1 - kept)
            slopes[index] = -2 * squares[index] * (1 - kept)
        }
        var sums = [0.0]
        for index in squares.indices { sums.append(sums[index] + slopes[index]) }
        return (error, ranks.map { sums[$0[0]] })
    }
}
