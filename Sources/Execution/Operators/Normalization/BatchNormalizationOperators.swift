internal import ConverterKit

/// Normalisation of each channel over the batch and the pixels.
enum BatchNormalizationOperators {
    static let all = [batchNormalization, gradientOperator]

    /// `Y = scale · (X − mean) / √(variance + ε) + B` by channels.
    ///
    /// In training mode mean and variance are those of the batch. The outputs are then Y, the running mean, the running
    /// variance, the batch's mean and variance, and `1 / √(variance + ε)`; a node names the first three (before version 14
    /// the first five), the others are for the gradient.
    static let batchNormalization = Operator("BatchNormalization", gradient: gradient) { preparation in
        let fact = try preparation.fact(0)
        let layout = ChannelLayout(fact.shape)
        let attributes = preparation.attributes
        if preparation.version < 9, attributes.int("spatial", otherwise: 1) == 0 {
            throw ExecutionError.unsupported("BatchNormalization by pixels is not executed")
        }
        guard !fact.shape.isEmpty else { throw ExecutionError.shape("BatchNormalization of a scalar") }
        for index in 1...4 {
            let other = try preparation.fact(index)
            guard other.shape == [layout.channels], other.type.storage == fact.type.storage else {
                throw ExecutionError.shape("BatchNormalization of \(fact.shape) with \(other.type) \(other.shape)")
            }
        }
        let epsilon = Double(attributes.float("epsilon", otherwise: 1e-5))
        let momentum = Double(attributes.float("momentum", otherwise: 0.9))
        if isTraining(attributes, preparation.version, wanted: preparation.wanted) {
            let statistics = TensorFact(type: try preparation.type(3), shape: [layout.channels])
            return Prepared(
                [fact] + [TensorFact](repeating: statistics, count: 5),
                kernel: training(try fact.realElement("BatchNormalization"), layout, epsilon, momentum))
        }
        return Prepared(
            [fact], overwritable: [0],
            kernel: inference(try fact.realElement("BatchNormalization"), layout, epsilon))
    }

    static func isTraining(_ attributes: AttributeList, _ version: Int, wanted: [Bool]) -> Bool {
        if version >= 14 { return attributes.flag("training_mode") }
        if version < 7, let isTest = attributes.int("is_test") { return isTest == 0 }
        return wanted.dropFirst().contains(true)
    }

    private static func inference<T: RealElement>(_: T.Type, _ layout: ChannelLayout, _ epsilon: Double) -> Kernel {
        { arguments in
            let (x, y) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
            let (scale, bias) = unsafe (arguments.input(1, T.self), arguments.input(2, T.self))
            let (mean, variance) = unsafe (arguments.input(3, T.self), arguments.input(4, T.self))
            arguments.pool.split(layout.channels, grain: max(1, (1 << 14) / max(1, layout.perChannel))) { range in
                for channel in range {
                    let inverse = unsafe 1 / (Double(variance[channel]) + epsilon).squareRoot()
                    let a = unsafe Double(scale[channel]) * inverse
                    let b = unsafe Double(bias[channel]) - Double(mean[channel]) * a
                    unsafe layout.scale(x, by: T(a), adding: T(b), into: y, of: channel)
                }
            }
        }
    }

    private static func training<T: RealElement>(
        _: T.Type, _ layout: ChannelLayout, _ epsilon: Double, _ momentum: Double
    ) -> Kernel {
        { arguments in
            let (x, y) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
            let (scale, bias) = unsafe (arguments.input(1, T.self), arguments.input(2, T.self))
            let (mean, variance) = unsafe (arguments.input(3, T.self), arguments.input(4, T.self))
            let (newMean, newVariance) = unsafe (arguments.output(1, T.self), arguments.output(2, T.self))
            let (ownMean, ownVariance) = unsafe (arguments.output(3, T.self), arguments.output(4, T.self))
            let inverses = unsafe arguments.output(5, T.self)
            arguments.pool.split(layout.channels, grain: max(1, (1 << 14) / max(1, layout.perChannel))) { range in
                for channel in range {
                    let moments = unsafe layout.moments(x, of: channel)
                    let inverse = 1 / (moments.variance + epsilon).squareRoot()
                    unsafe newMean[channel] = T(Double(mean[channel]) * momentum + moments.mean * (1 - momentum))
                    unsafe newVariance[channel] = T(
                        Double(variance[channel]) * momentum + moments.variance * (1 - momentum))
                    unsafe (ownMean[channel], ownVariance[channel]) = (T(moments.mean), T(moments.variance))
                    unsafe inverses[channel] = T(inverse)
                    let a = unsafe Double(scale[channel]) * inverse
                    let b = unsafe Double(bias[channel]) - moments.mean * a
                    unsafe layout.scale(x, by: T(a), adding: T(b), into: y, of: channel)
                }
            }
        }
    }

    /// `∂X`, `∂scale` and `∂B` from `∂Y`, X, scale, mean and `1 / √(variance + ε)`; `training` says whether those two are
    /// the batch's own, and so depend on X.
    static let gradientOperator = Operator("BatchNormalizationGradient", domain: "rene") { preparation in
        let fact = try preparation.fact(1)
        let layout = ChannelLayout(fact.shape)
        guard try preparation.fact(0) == fact,
            try (2...4).allSatisfy({ try preparation.shape($0) == [layout.channels] })
        else {
            throw ExecutionError.shape("BatchNormalizationGradient of \(try preparation.shape(0)) and \(fact.shape)")
        }
        let channels = TensorFact(type: try preparation.type(2), shape: [layout.channels])
        let isTraining = preparation.attributes.flag("training")
        func make<T: RealElement>(_: T.Type) -> Kernel {
            { arguments in
                let (dy, x) = unsafe (arguments.input(0, T.self), arguments.input(1, T.self))
                let (scale, mean) = unsafe (arguments.input(2, T.self), arguments.input(3, T.self))
                let (inverse, dx) = unsafe (arguments.input(4, T.self), arguments.output(0, T.self))
                let (dScale, dBias) = unsafe (arguments.output(1, T.self), arguments.output(2, T.self))
                let count = Double(max(1, layout.perChannel))
                arguments.pool.split(layout.channels, grain: max(1, (1 << 14) / max(1, layout.perChannel))) { range in
                    for channel in range {
                        let (center, factor) = unsafe (mean[channel], inverse[channel])
                        let sums = unsafe layout.gradientSums(dy, x, mean: center, inverse: factor, of: channel)
                        unsafe (dScale[channel], dBias[channel]) = (T(sums.weighted), T(sums.plain))
                        let a = unsafe Double(scale[channel]) * Double(factor)
                        let (shift, slope) =
                            isTraining ? (a * sums.plain / count, a * Double(factor) * sums.weighted / count) : (0, 0)
                        unsafe layout.gradient(
                            dy, x, mean: center, a: T(a), shift: T(shift), slope: T(slope), into: dx, of: channel)
                    }
                }
            }
        }
        return Prepared(
            [fact, channels, channels], overwritable: [0],
            kernel: make(try fact.realElement("BatchNormalizationGradient")))
    }

    private static let gradient: GradientRule = { context in
        guard !context.gradients.dropFirst().contains(where: { $0 != nil }) else {
            throw ExecutionError.noGradient("the statistics of BatchNormalization have no gradient here")
        }
        let isTraining = context.outputs.count > 1
        let (x, scale, dy) = (try context.input(0), try context.input(1), try context.gradient())
        let mean: ValueID
        let inverse: ValueID
        if isTraining {
            (mean, inverse) = (try context.output(3), try context.output(5))
        } else {
            let variance = try context.input(4)
            let epsilon = Double(context.attributes.float("epsilon", otherwise: 1e-5))
            mean = try context.input(3)
            inverse = try context.emit(
                "Reciprocal",
                [context.emit("Sqrt", [context.add(variance, context.program.scalar(epsilon, like: variance))])])
        }
        let results = try context.program.emit(
            "BatchNormalizationGradient", domain: "rene", [dy, x, scale, mean, inverse], ["training": isTraining],
            outputs: 3)
        guard results.count == 3 else { throw ExecutionError.internal("BatchNormalizationGradient gives no result") }
        var gradients: [ValueID?] = [results[0], results[1], results[2], nil, nil]
        if !isTraining, context.wants(3) || context.wants(4) {
            let slope = try context.multiply(scale, inverse)
            gradients[3] = try context.negate(context.multiply(results[2], slope))
            gradients[4] = try context.scale(
                context.multiply(context.multiply(results[1], slope), inverse), by: -0.5)
        }
        return gradients
    }
}
