internal import ConverterKit

/// Normalisation over the last axes, with and without centring.
enum LayerNormalizationOperators {
    static let all = [
        layerNormalization, rmsNormalization, simplified(""), simplified("com.microsoft"), gradientOperator,
    ]

    /// `Y = (X − μ) / √(σ² + ε) · scale + B` over the axes from `axis` on; outputs Y, μ and `1 / √(σ² + ε)`.
    static let layerNormalization = Operator("LayerNormalization", gradient: gradient) { preparation in
        let geometry = try Geometry(preparation)
        let statistics = TensorFact(type: geometry.statisticsType, shape: geometry.outer)
        return Prepared(
            [geometry.fact, statistics, statistics], overwritable: [0],
            kernel: kernel(try geometry.element(), geometry, mean: 1, inverse: 2))
    }

    /// `Y = X / √(mean of X² + ε) · scale`; a second output holds the inverse root for the gradient.
    static let rmsNormalization = Operator("RMSNormalization", gradient: gradient) { try uncentred($0) }

    /// RMSNormalization under the name it had before it was ONNX's.
    private static func simplified(_ domain: String) -> Operator {
        Operator("SimplifiedLayerNormalization", domain: domain, gradient: gradient) { try uncentred($0) }
    }

    private static func uncentred(_ preparation: Preparation) throws -> Prepared {
        let geometry = try Geometry(preparation, isCentred: false)
        let statistics = TensorFact(type: geometry.statisticsType, shape: geometry.outer)
        return Prepared(
            [geometry.fact, statistics], overwritable: [0],
            kernel: kernel(try geometry.element(), geometry, mean: nil, inverse: 1))
    }

    private static func kernel<T: RealElement>(
        _: T.Type, _ geometry: Geometry, mean: Int?, inverse: Int
    ) -> Kernel {
        let rows = geometry.rows
        let (scales, biases) = (geometry.scaleOffsets, geometry.biasOffsets)
        return { arguments in
            let (x, y) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
            let (scale, bias) = unsafe (arguments.input(1, T.self), arguments.optionalInput(2, T.self))
            let means = unsafe mean.map { unsafe arguments.output($0, T.self) }
            let inverses = unsafe arguments.output(inverse, T.self)
            let isPlain = scales == nil && biases == nil
            arguments.pool.split(rows.rows, grain: rows.grain) { range in
                unsafe rows.run(
                    x, scale: isPlain ? scale : nil, bias: isPlain ? bias : nil, into: y, mean: means,
                    inverse: inverses, rows: range)
                if isPlain { return }
                for index in range.lowerBound * rows.count..<range.upperBound * rows.count {
                    let factor = unsafe scale[scales?[index] ?? index % rows.count]
                    let shift = unsafe bias?[biases?[index] ?? index % rows.count] ?? 0
                    unsafe y[index] = y[index] * factor + shift
                }
            }
        }
    }

    /// Which axes are normalised, and how scale and bias lie.
    struct Geometry {
        let fact: TensorFact
        /// The axes before, and 1 for each that is normalised: the extents of the statistics.
        let outer: [Int]
        let normalized: [Int]
        let rows: RowNormalization
        /// By element of X, that of the scale and of the bias; `nil` where they lie as a row does.
        let scaleOffsets: [Int]?
        let biasOffsets: [Int]?

        init(_ preparation: Preparation, isCentred: Bool = true) throws {
            let fact = try preparation.fact(0)
            let axis = try preparation.axis(
                preparation.attributes.int("axis", otherwise: -1), rank: fact.shape.count)
            guard !fact.shape.isEmpty else { throw ExecutionError.shape("\(preparation.operation) of a scalar") }
            self.fact = fact
            let normalized = Array(fact.shape[axis...])
            self.normalized = normalized
            outer = Array(fact.shape[..<axis]) + normalized.map { _ in 1 }
            rows = RowNormalization(
                rows: fact.shape[..<axis].reduce(1, *), count: normalized.reduce(1, *), isCentred: isCentred,
                epsilon: Double(preparation.attributes.float("epsilon", otherwise: 1e-5)))
            func offsets(_ index: Int) throws -> [Int]? {
                guard preparation.isStated(index) else { return nil }
                let other = try preparation.fact(index)
                guard other.type.storage == fact.type.storage, other.shape.count <= fact.shape.count,
                    try Broadcasting.shape(other.shape, fact.shape) == fact.shape
                else {
                    throw ExecutionError.shape("\(preparation.operation) of \(fact.shape) with \(other.shape)")
                }
                if other.shape.drop(while: { $0 == 1 }) == normalized.drop(while: { $0 == 1 }) { return nil }
                return Broadcasting.offsets(of: other.shape, in: fact.shape)
            }
            guard preparation.isStated(1) else {
                throw ExecutionError.missingInput("scale of \(preparation.operation)")
            }
            scaleOffsets = try offsets(1)
            biasOffsets = isCentred ? try offsets(2) : nil
        }

        var statisticsType: ElementType { fact.type.storage == .double ? .float64 : .float32 }

        func element() throws -> any RealElement.Type { try fact.realElement("a layer normalisation") }
    }

    /// `∂X`, `∂scale` and `∂B` from `∂Y`, X, scale, μ and `1 / √(σ² + ε)`, all of the rows' own extents; without μ, of the
    /// form that is not centred.
    static let gradientOperator = Operator("LayerNormalizationGradient", domain: "rene") { preparation in
        let (fact, scale) = (try preparation.fact(1), try preparation.fact(2))
        let (statistics, count) = (try preparation.fact(4), scale.count)
        guard try preparation.fact(0) == fact, statistics.count * count == fact.count,
            try !preparation.isStated(3) || preparation.fact(3) == statistics
        else { throw ExecutionError.shape("LayerNormalizationGradient of \(fact.shape) and \(scale.shape)") }
        let rows = RowNormalization(
            rows: statistics.count, count: count, isCentred: preparation.isStated(3), epsilon: 0)
        let stride = fact.type.storage?.stride ?? 0
        let row = Arena.rounded(count * stride)
        func make<T: RealElement>(_: T.Type) -> Kernel {
            { arguments in
                let (dy, x) = unsafe (arguments.input(0, T.self), arguments.input(1, T.self))
                let (scale, mean) = unsafe (arguments.input(2, T.self), arguments.optionalInput(3, T.self))
                let (inverse, dx) = unsafe (arguments.input(4, T.self), arguments.output(0, T.self))
                let (dScale, dBias) = unsafe (arguments.output(1, T.self), arguments.output(2, T.self))
                let sums = unsafe arguments.scratch(T.self)
                let step = row / stride
                arguments.pool.run { part, parts in
                    let own = unsafe sums + 2 * part * step
                    unsafe own.update(repeating: 0, count: 2 * step)
                    unsafe rows.gradient(
                        dy, x, scale: scale, mean: mean, inverse: inverse, into: dx, dScale: own, dBias: own + step,
                        rows: rows.rows * part / parts..<rows.rows * (part + 1) / parts)
                }
                for index in 0..<count {
                    var (scaleSum, biasSum) = (T.zero, T.zero)
                    for part in 0..<arguments.pool.width {
                        scaleSum += unsafe sums[2 * part * step + index]
                        biasSum += unsafe sums[(2 * part + 1) * step + index]
                    }
                    unsafe (dScale[index], dBias[index]) = (scaleSum, biasSum)
                }
            }
        }
        return Prepared(
            [fact, scale, scale], scratch: 2 * row * preparation.threads,
            kernel: make(try fact.realElement("LayerNormalizationGradient")))
    }

    private static let gradient: GradientRule = { context in
        guard !context.gradients.dropFirst().contains(where: { $0 != nil }) else {
            throw ExecutionError.noGradient("the statistics of a normalisation have no gradient here")
        }
        let isCentred = context.use.key.name == "LayerNormalization"
        let (x, scale) = (try context.input(0), try context.input(1))
        let shape = try context.shape(x)
        let axis = try Axes.normalized(context.attributes.int("axis", otherwise: -1), rank: shape.count)
        let full = try context.expand(scale, Array(shape[axis...]))
        let statistics: [ValueID?] = [isCentred ? try context.output(1) : nil, try context.output(isCentred ? 2 : 1)]
        let results = try context.program.emit(
            "LayerNormalizationGradient", domain: "rene", [context.gradient(), x, full] + statistics, [:], outputs: 3)
        guard results.count == 3 else { throw ExecutionError.internal("LayerNormalizationGradient gives no result") }
        var gradients: [ValueID?] = [results[0], nil, nil]
        gradients[1] = try context.unbroadcast(results[1], to: context.shape(scale))
        if isCentred, context.inputs.count > 2, let bias = context.inputs[2] {
            gradients[2] = try context.unbroadcast(results[2], to: context.shape(bias))
        }
        return gradients
    }
}
