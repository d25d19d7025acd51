import Decompositions
import Synchronization

/// A CP with given errors and no closed mixture, like one whose every rank is a fit.
struct FittedCP: Decomposition {
    let id = "cp"
    let summary = "given errors"

    func applies(to layer: LayerShape) -> Bool { true }
    func largestRanks(for layer: LayerShape) -> [Int] {
        [layer.weightCount / (layer.inChannels + layer.outChannels + layer.kernelSize)]
    }

    func links(ranks: [Int], in layer: LayerShape) -> [FactorLink.Shape] {
        let point = layer.kernel.map { _ in 1 }
        return [
            FactorLink.Shape(inChannels: layer.inChannels, outChannels: ranks[0], kernel: point, axes: []),
            FactorLink.Shape(
                inChannels: ranks[0], outChannels: ranks[0], groups: ranks[0], kernel: layer.kernel,
                axes: Array(layer.kernel.indices)),
            FactorLink.Shape(inChannels: ranks[0], outChannels: layer.outChannels, kernel: point, axes: []),
        ]
    }

    func analyze(
        weight: [Float], of layer: LayerShape, retainingFactors: Bool, seed: UInt64
    ) throws -> any RankAnalysis { throw NotUsed() }

    func factorize(
        weight: [Float], of layer: LayerShape, ranks: [Int], analysis: (any RankAnalysis)?, seed: UInt64
    ) throws -> FactorChain { throw NotUsed() }
}

struct FitAnalysis: RankAnalysis {
    let squaredNorm: Double
    let counter: CallCounter
    let error: @Sendable (Int) -> Double
    private let known = KnownRanks()

    init(squaredNorm: Double, counter: CallCounter = CallCounter(), error: @escaping @Sendable (Int) -> Double) {
        self.squaredNorm = squaredNorm
        self.counter = counter
        self.error = error
    }

    func squaredError(ranks: [Int]) throws -> Double {
        // A fit is done once for each rank.
        if known.insert(ranks[0]) { counter.countError() }
        return error(ranks[0])
    }

    func mixture(of ranks: [[Int]], probabilities: [Double]) throws -> (squaredError: Double, gradient: [Double])? {
        counter.countMixture()
        return nil
    }
}

/// The ranks that have been fitted.
private final class KnownRanks: Sendable {
    private let ranks = Mutex<Set<Int>>([])

    func insert(_ rank: Int) -> Bool { ranks.withLock { $0.insert(rank).inserted } }
}
