internal import ConverterKit

/// Losses over classes, and their gradients as operators of their own.
enum LossOperators {
    static let all = [
        crossEntropy, logLikelihood, derivative("SoftmaxCrossEntropyGradient", isSoftmax: true),
        derivative("NegativeLogLikelihoodGradient", isSoftmax: false),
    ]

    ///     loss = −w[t]·log softmax(x)[t], reduced; and the logarithm of the probabilities
    static let crossEntropy = Operator("SoftmaxCrossEntropyLoss", gradient: gradient(isSoftmax: true)) {
        preparation in
        let shape = try LossShape(preparation, scores: 0, target: 1, weight: 2)
        return try prepared(shape, outputs: [shape.loss, shape.scores], isSoftmax: true)
    }

    ///     loss = −w[t]·x[t], reduced
    static let logLikelihood = Operator("NegativeLogLikelihoodLoss", gradient: gradient(isSoftmax: false)) {
        preparation in
        let shape = try LossShape(preparation, scores: 0, target: 1, weight: 2)
        return try prepared(shape, outputs: [shape.loss], isSoftmax: false)
    }

    private static func prepared(_ shape: LossShape, outputs: [TensorFact], isSoftmax: Bool) throws -> Prepared {
        func make<T: LossScalar>(_: T.Type) -> Prepared {
            Prepared(outputs, scratch: shape.rows * MemoryLayout<Int32>.stride) { arguments in
                if isSoftmax { logSoftmax(shape, arguments, T.self) }
                try reduce(shape, arguments, isSoftmax: isSoftmax, T.self)
            }
        }
        return shape.scores.type.storage == .double ? make(Double.self) : make(Float.self)
    }

    private static func logSoftmax<T: LossScalar>(_ shape: LossShape, _ arguments: KernelArguments, _: T.Type) {
        let (x, y) = unsafe (arguments.input(0, T.self), arguments.output(1, T.self))
        let (classes, inner) = (shape.classes, shape.inner)
        arguments.pool.split(shape.rows, grain: max(1, 8192 / max(1, classes))) { rows in
            if inner == 1 {
                let first = rows.lowerBound * classes
                unsafe T.logSoftmax(y + first, x + first, rows: rows.count, classes: classes)
                return
            }
            for row in rows {
                let first = row / inner * classes * inner + row % inner
                unsafe T.stridedLogSoftmax(y + first, x + first, classes: classes, stride: inner)
            }
        }
    }

    private static func reduce<T: LossScalar>(
        _ shape: LossShape, _ arguments: KernelArguments, isSoftmax: Bool, _: T.Type
    ) throws {
        let targets = unsafe arguments.scratch(Int32.self)
        try unsafe shape.readTargets(arguments, 1, into: targets)
        let scores = unsafe isSoftmax ? UnsafePointer(arguments.output(1, T.self)) : arguments.input(0, T.self)
        let weights = unsafe arguments.optionalInput(2, T.self)
        let loss = unsafe arguments.output(0, T.self)
        var (sum, mass) = (0.0, 0.0)
        for row in 0..<shape.rows {
            let target = unsafe Int(targets[row])
            var own = 0.0
            if target >= 0 {
                let place = (row / shape.inner * shape.classes + target) * shape.inner + row % shape.inner
                let weight = unsafe weights.map { unsafe Double($0[target]) } ?? 1
                own = unsafe -weight * Double(scores[place])
                mass += weight
            }
            if shape.reduction == .none { unsafe loss[row] = T(own) }
            sum += own
        }
        switch shape.reduction {
        case .none: break
        case .sum: unsafe loss[0] = T(sum)
        case .mean: unsafe loss[0] = T(sum / mass)
        }
    }

    /// Inputs: `∂L/∂loss`, scores (logarithms of the probabilities after a softmax), target, weight.
    ///
    ///     ∂L/∂x[c] = g·w[t]·(softmax(x)[c] − [c = t])   or, without softmax,   −g·w[t]·[c = t]
    ///
    /// with g divided by the weights' sum for the mean.
    private static func derivative(_ name: String, isSoftmax: Bool) -> Operator {
        Operator(name, domain: "rene") { preparation in
            let shape = try LossShape(preparation, scores: 1, target: 2, weight: 3)
            guard try preparation.fact(0) == shape.loss else {
                throw ExecutionError.shape("\(name) of \(try preparation.shape(0))")
            }
            func make<T: LossScalar>(_: T.Type) -> Prepared {
                Prepared([shape.scores], scratch: shape.rows * MemoryLayout<Int32>.stride) { arguments in
                    try derive(shape, arguments, isSoftmax: isSoftmax, T.self)
                }
            }
            return shape.scores.type.storage == .double ? make(Double.self) : make(Float.self)
        }
    }

    private static func derive<T: LossScalar>(
        _ shape: LossShape, _ arguments: KernelArguments, isSoftmax: Bool, _: T.Type
    ) throws {
        let targets = unsafe arguments.scratch(Int32.self)
        try unsafe shape.readTargets(arguments, 2, into: targets)
        let (gradient, scores) = unsafe (arguments.input(0, T.self), arguments.input(1, T.self))
        let weights = unsafe arguments.optionalInput(3, T.self)
        let result = unsafe arguments.output(0, T.self)
        var mass = 0.0
        if shape.reduction == .mean {
            for row in 0..<shape.rows where unsafe targets[row] >= 0 {
                unsafe mass += weights.map { unsafe Double($0[Int(targets[row])]) } ?? 1
            }
        }
        let scale = shape.reduction == .mean ? T(1 / mass) : 1
        let (classes, inner) = (shape.classes, shape.inner)
        arguments.pool.split(shape.rows, grain: max(1, 8192 / max(1, classes))) { rows in
            for row in rows {
                let first = row / inner * classes * inner + row % inner
                let target = unsafe Int(targets[row])
                let weight = unsafe target < 0 ? 0 : weights?[target] ?? 1
                let own = unsafe gradient[shape.reduction == .none ? row : 0] * scale
                let factor = target < 0 ? 0 : own * weight
                for index in 0..<classes {
                    let place = first + index * inner
                    unsafe result[place] = isSoftmax && factor != 0 ? factor * T.exponential(scores[place]) : 0
                }
                if target >= 0 { unsafe result[first + target * inner] -= factor }
            }
        }
    }

    private static func gradient(isSoftmax: Bool) -> GradientRule {
        { context in
            let scores = try isSoftmax ? context.output(1) : context.input(0)
            let weight = context.inputs.count > 2 ? context.inputs[2] : nil
            guard !context.wants(2) else { throw ExecutionError.noGradient("the weights of a loss have no gradient") }
            var gradient: ValueID?
            if let arriving = context.gradients[0] {
                var attributes = AttributeList()
                attributes.values = context.attributes.values.filter {
                    $0.name == "reduction" || $0.name == "ignore_index"
                }
                gradient = try context.emit(
                    isSoftmax ? "SoftmaxCrossEntropyGradient" : "NegativeLogLikelihoodGradient", domain: "rene",
                    [arriving, scores, try context.input(1), weight], attributes)
            }
            if isSoftmax, context.gradients.count > 1, let arriving = context.gradients[1] {
                let sum = try context.reduceSum(arriving, axes: [1])
                let own = try context.subtract(
                    arriving, context.multiply(context.emit("Exp", [scores]), sum))
                gradient = try gradient.map { try context.add($0, own) } ?? own
            }
            return [gradient]
        }
    }
}
