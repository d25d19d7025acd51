import Decompositions

/// A Tucker-2 with given core energies: two untied ranks, `E(r1, r2) = ‖T‖² − Σ_{a ≤ r1, b ≤ r2} E_ab`.
struct NestedTucker: Decomposition {
    let id = "tucker"
    let summary = "given core energies"

    func applies(to layer: LayerShape) -> Bool { true }
    func largestRanks(for layer: LayerShape) -> [Int] { [layer.outChannels, layer.inChannels] }

    func links(ranks: [Int], in layer: LayerShape) -> [FactorLink.Shape] {
        let point = layer.kernel.map { _ in 1 }
        return [
            FactorLink.Shape(inChannels: layer.inChannels, outChannels: ranks[1], kernel: point, axes: []),
            FactorLink.Shape(
                inChannels: ranks[1], outChannels: ranks[0], kernel: layer.kernel, axes: Array(layer.kernel.indices)),
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

struct CoreAnalysis: RankAnalysis {
    let rows: Int
    let columns: Int
    /// `prefix[a * (columns + 1) + b] = Σ_{a' < a, b' < b} E`.
    let prefix: [Double]
    let counter: CallCounter

    init(rows: Int, columns: Int, counter: CallCounter = CallCounter(), energy: (Int, Int) -> Double) {
        self.rows = rows
        self.columns = columns
        self.counter = counter
        var prefix = [Double](repeating: 0, count: (rows + 1) * (columns + 1))
        for row in 1...rows {
            var line = 0.0
            for column in 1...columns {
                line += energy(row - 1, column - 1)
                prefix[row * (columns + 1) + column] = prefix[(row - 1) * (columns + 1) + column] + line
            }
        }
        self.prefix = prefix
    }

    var squaredNorm: Double { kept(rows, columns) }

    private func kept(_ row: Int, _ column: Int) -> Double { prefix[row * (columns + 1) + column] }

    func squaredError(ranks: [Int]) throws -> Double {
        counter.countError()
        return squaredNorm - kept(ranks[0], ranks[1])
    }

    /// By inner products: `⟨Ŵ_k, Ŵ_l⟩` is the energy that both keep.
    func mixture(of ranks: [[Int]], probabilities: [Double]) throws -> (squaredError: Double, gradient: [Double])? {
        counter.countMixture()
        var error = squaredNorm
        var gradient: [Double] = []
        for (left, probability) in zip(ranks, probabilities) {
            let own = kept(left[0], left[1])
            var mixed = 0.0
            for (right, weight) in zip(ranks, probabilities) where weight != 0 {
                mixed += weight * kept(min(left[0], right[0]), min(left[1], right[1]))
            }
            error += probability * (mixed - 2 * own)
            gradient.append(2 * (mixed - own))
        }
        return (error, gradient)
    }
}
