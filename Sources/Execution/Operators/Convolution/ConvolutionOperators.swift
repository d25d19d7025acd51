internal import ConverterKit

/// Convolutions and their gradients.
enum ConvolutionOperators {
    static let all = [conv, fusedConv, inputGradient, weightGradient]

    /// `Y = X ∗ W + B`: X `[batch, channels, axes…]`, W `[out, channels / groups, kernel…]`, B `[out]`. Besides ONNX's
    /// attributes it takes `output_shape`, the spatial extents where they are to be less than what the others give.
    static let conv = Operator("Conv", gradient: gradient) { preparation in
        let (fact, shape) = try geometry(preparation)
        func make<T: Element>(_: T.Type) -> Kernel {
            let algorithm = ConvolutionAlgorithm<T>(shape)
            return { try unsafe forward($0, algorithm) }
        }
        return Prepared([fact], macs: shape.macs, kernel: make(try fact.numericElement("Conv")))
    }

    /// `Y = activation(X ∗ W + B + Z)`.
    static let fusedConv = Operator("FusedConv", domain: "com.microsoft") { preparation in
        let (fact, shape) = try geometry(preparation)
        guard fact.type.storage == .float else { throw ExecutionError.type("FusedConv of \(fact.type)") }
        let activation = try FusedActivation(preparation.attributes)
        if preparation.isStated(3), try preparation.fact(3) != fact {
            throw ExecutionError.shape("FusedConv adds \(try preparation.shape(3)) to \(fact.shape)")
        }
        let algorithm = ConvolutionAlgorithm<Float>(shape)
        let count = fact.count
        return Prepared([fact], macs: shape.macs) { arguments in
            try unsafe forward(arguments, algorithm)
            let y = unsafe arguments.output(0, Float.self)
            let residual = unsafe arguments.optionalInput(3, Float.self)
            arguments.pool.split(count, grain: 1 << 14) { range in
                if let residual = unsafe residual {
                    for index in range { unsafe y[index] += residual[index] }
                }
                unsafe activation.apply(y + range.lowerBound, range.count)
            }
        }
    }

    /// `∂X` from `∂Y` and W; `input_shape` holds the spatial extents of X, the others are those of the convolution.
    static let inputGradient = Operator("ConvInputGradient", domain: "rene") { preparation in
        let (dy, weight) = (try preparation.fact(0), try preparation.fact(1))
        let groups = preparation.attributes.int("group", otherwise: 1)
        guard let spatial = preparation.attributes.ints("input_shape"), dy.shape.count == spatial.count + 2,
            weight.shape.count == dy.shape.count, dy.shape[1] == weight.shape[0], dy.type == weight.type
        else { throw ExecutionError.shape("ConvInputGradient of \(dy.shape) and \(weight.shape)") }
        let channels = weight.shape[1].multipliedReportingOverflow(by: groups).partialValue
        let shape = try ConvolutionShape(
            preparation.attributes, input: [dy.shape[0], channels] + spatial, weight: weight.shape,
            output: Array(dy.shape[2...]))
        func make<T: Element>(_: T.Type) -> Kernel {
            let algorithm = ConvolutionAlgorithm<T>(shape)
            return { arguments in
                guard shape.batch > 0 else { return }
                try unsafe algorithm.inputGradient(
                    arguments.input(0), weight: arguments.input(1), into: arguments.output(), pool: arguments.pool)
            }
        }
        return Prepared(
            [TensorFact(type: dy.type, shape: shape.inputShape)], macs: shape.macs,
            kernel: make(try dy.numericElement("ConvInputGradient")))
    }

    /// `∂W` from `∂Y` and X.
    static let weightGradient = Operator("ConvWeightGradient", domain: "rene") { preparation in
        let (dy, x) = (try preparation.fact(0), try preparation.fact(1))
        let groups = preparation.attributes.int("group", otherwise: 1)
        guard let kernel = preparation.attributes.ints("kernel_shape"), dy.shape.count == kernel.count + 2,
            x.shape.count == dy.shape.count, x.shape[0] == dy.shape[0], dy.type == x.type, groups > 0
        else { throw ExecutionError.shape("ConvWeightGradient of \(dy.shape) and \(x.shape)") }
        let shape = try ConvolutionShape(
            preparation.attributes, input: x.shape, weight: [dy.shape[1], x.shape[1] / groups] + kernel,
            output: Array(dy.shape[2...]))
        func make<T: Element>(_: T.Type) -> Kernel {
            let algorithm = ConvolutionAlgorithm<T>(shape)
            return { arguments in
                try unsafe algorithm.weightGradient(
                    arguments.input(0), input: arguments.input(1), into: arguments.output(), pool: arguments.pool)
            }
        }
        return Prepared(
            [TensorFact(type: dy.type, shape: shape.weightShape)], macs: shape.macs,
            kernel: make(try dy.numericElement("ConvWeightGradient")))
    }

    private static func geometry(_ preparation: Preparation) throws -> (TensorFact, ConvolutionShape) {
        let (x, weight) = (try preparation.fact(0), try preparation.fact(1))
        guard x.type == weight.type else { throw ExecutionError.type("Conv of \(x.type) with \(weight.type)") }
        let shape = try ConvolutionShape(preparation.attributes, input: x.shape, weight: weight.shape)
        if preparation.isStated(2), try preparation.fact(2) != TensorFact(type: x.type, shape: [shape.outChannels]) {
            throw ExecutionError.shape("Conv with a bias of \(try preparation.shape(2)) for \(shape.outChannels)")
        }
        return (TensorFact(type: x.type, shape: shape.outputShape), shape)
    }

    @unsafe private static func forward<T>(_ arguments: KernelArguments, _ algorithm: ConvolutionAlgorithm<T>) throws {
        guard algorithm.shape.batch > 0 else { return }
        try unsafe algorithm.forward(
            arguments.input(0), weight: arguments.input(1), bias: arguments.optionalInput(2),
            into: arguments.output(), pool: arguments.pool)
    }

    private static let gradient: GradientRule = { context in
        let (x, weight, dy) = (try context.input(0), try context.input(1), try context.gradient())
        let shape = try ConvolutionShape(
            context.attributes, input: context.shape(x), weight: context.shape(weight))
        var gradients: [ValueID?] = [nil, nil, nil]
        if context.wants(0) {
            var attributes = shape.attributes
            attributes.set("input_shape", shape.input)
            gradients[0] = try context.emit("ConvInputGradient", domain: "rene", [dy, weight], attributes)
        }
        if context.wants(1) {
            gradients[1] = try context.emit("ConvWeightGradient", domain: "rene", [dy, x], shape.attributes)
        }
        if context.wants(2) { gradients[2] = try context.sumOverPixels(dy) }
        return gradients
    }
}

extension GradientContext {
    /// `[batch, channels, axes…]` to `[channels]`.
    func sumOverPixels(_ id: ValueID) throws -> ValueID {
        let shape = try shape(id)
        return try reduceSum(id, axes: shape.indices.filter { $0 != 1 }, keepsAxes: false)
    }
}
