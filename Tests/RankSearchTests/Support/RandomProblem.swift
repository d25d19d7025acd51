import Decompositions
import RankSearch

/// Seeded problems of linear layers and convolutions with power-law spectra.
enum RandomProblem {
    static func linear(_ id: String, inputs: Int, outputs: Int, tokens: Int = 1) -> LayerShape {
        LayerShape(
            kind: .linear, inChannels: inputs, outChannels: outputs, inputExtent: [tokens], outputExtent: [tokens])
    }

    static func convolution(inputs: Int, outputs: Int, extent: Int, stride: Int = 1) -> LayerShape {
        LayerShape(
            kind: .convolution, inChannels: inputs, outChannels: outputs, kernel: [3, 3], strides: [stride, stride],
            inputExtent: [extent * stride, extent * stride], outputExtent: [extent, extent])
    }

    static func spectrum(_ count: Int, decay: Double, scale: Double, _ random: inout SeededRandom) -> [Double] {
        (1...count).map { scale * powerLaw(Double($0), decay) * random.uniform(0.8...1.25) }.sorted(by: >)
    }

    /// `x^−decay` for a decay in multiples of 1/4.
    static func powerLaw(_ value: Double, _ decay: Double) -> Double {
        let root = value.squareRoot().squareRoot()
        return (0..<Int((decay * 4).rounded())).reduce(1.0) { product, _ in product / root }
    }

    static func svd(_ shape: LayerShape, _ random: inout SeededRandom, counter: CallCounter = CallCounter())
        -> SearchFamily
    {
        let decomposition = NestedSVD()
        let values = spectrum(
            decomposition.largestRanks(for: shape)[0], decay: Double(random.integer(0...8)) / 4,
            scale: random.uniform(0.01...100), &random)
        return SearchFamily(
            decomposition: decomposition, analysis: SpectrumAnalysis(singularValues: values, counter: counter))
    }

    static func tucker(_ shape: LayerShape, _ random: inout SeededRandom, counter: CallCounter = CallCounter())
        -> SearchFamily
    {
        let (first, second) = (Double(random.integer(1...8)) / 4, Double(random.integer(1...8)) / 4)
        let scale = random.uniform(0.01...100)
        let core = CoreAnalysis(rows: shape.outChannels, columns: shape.inChannels, counter: counter) { row, column in
            scale * powerLaw(Double(row + 1), first) * powerLaw(Double(column + 1), second) * random.uniform(0.5...2)
        }
        return SearchFamily(decomposition: NestedTucker(), analysis: core)
    }

    static func cp(_ shape: LayerShape, _ random: inout SeededRandom, counter: CallCounter = CallCounter())
        -> SearchFamily
    {
        let scale = random.uniform(5...50)
        let norm = random.uniform(0.1...10)
        return SearchFamily(
            decomposition: FittedCP(),
            analysis: FitAnalysis(squaredNorm: norm, counter: counter) { norm * scale / (scale + Double($0)) })
    }

    static func layer(
        _ id: String, _ shape: LayerShape, uses: Int = 1, _ families: [SearchFamily], fixedRanks: [Int]? = nil
    ) -> SearchLayer {
        let dense = Cost(parameters: shape.denseCost.parameters, macs: shape.denseCost.macs * uses)
        return SearchLayer(
            id: id, shape: shape, dense: dense, uses: uses, elementBytes: 4, families: families, fixedRanks: fixedRanks)
    }

    /// Layers, and a model that costs a twentieth more than they do.
    static func problem(_ layers: [SearchLayer], _ budget: Budget) -> SearchProblem {
        let parameters = layers.reduce(0) { $0 + $1.dense.parameters }
        let macs = layers.reduce(0) { $0 + $1.dense.macs }
        let total = ModelCost(
            parameters: parameters + parameters / 20, macs: macs + macs / 20, bytes: 4 * (parameters + parameters / 20))
        return SearchProblem(layers: layers, total: total, budget: budget)
    }

    /// A mixture of layer kinds and families.
    static func mixed(seed: UInt64, layers count: Int, budget: Budget) -> SearchProblem {
        var random = SeededRandom(seed: seed)
        let layers = (0..<count).map { index in
            let (inputs, outputs) = (random.integer(16...96), random.integer(16...96))
            switch index % 3 {
            case 0:
                let shape = linear("", inputs: inputs, outputs: outputs, tokens: random.integer(1...50))
                return layer("layer\(index)", shape, [svd(shape, &random)])
            case 1:
                let shape = convolution(inputs: inputs, outputs: outputs, extent: random.integer(4...16))
                return layer("layer\(index)", shape, uses: 2, [svd(shape, &random), cp(shape, &random)])
            default:
                let shape = convolution(
                    inputs: inputs, outputs: outputs, extent: random.integer(4...16), stride: random.integer(1...2))
                return layer("layer\(index)", shape, [tucker(shape, &random), svd(shape, &random)])
            }
        }
        return problem(layers, budget)
    }

    /// Linear layers with one family.
    static func plain(seed: UInt64, layers count: Int, sizes: ClosedRange<Int>, budget: Budget) -> SearchProblem {
        var random = SeededRandom(seed: seed)
        let layers = (0..<count).map { index in
            let shape = linear(
                "", inputs: random.integer(sizes), outputs: random.integer(sizes), tokens: random.integer(1...50))
            return layer("layer\(index)", shape, [svd(shape, &random)])
        }
        return problem(layers, budget)
    }
}
