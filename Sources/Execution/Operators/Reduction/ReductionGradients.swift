internal import CKernels
internal import ConverterKit

/// Gradients of the reductions, and the operators that they need.
enum ReductionGradients {
    /// For input x, result y and arriving dy, both with the reduced axes as 1 again.
    static func rule(_ reduction: Reduction) -> GradientRule {
        { context in
            let x = try context.input(0)
            let shape = try context.shape(x)
            var stated = context.attributes.ints("axes")
            if stated == nil, context.inputs.indices.contains(1), let axes = context.inputs[1] {
                guard let constant = context.program[axes].constant else {
                    throw ExecutionError.noGradient("the axes of \(context.use.key) are not known")
                }
                stated = try constant.integers()
            }
            let axes = try ReductionOperators.axes(stated, context.attributes, rank: shape.count)
            let loops = try ReductionLoops(shape, axes: axes)
            let dy = try context.reshape(context.gradient(), loops.keptShape)
            let y = try context.reshape(context.output(), loops.keptShape)
            return [try gradient(reduction, context, x: x, y: y, dy: dy, loops, axes)]
        }
    }

    private static func gradient(
        _ reduction: Reduction, _ context: GradientContext, x: ValueID, y: ValueID, dy: ValueID,
        _ loops: ReductionLoops, _ axes: [Int]
    ) throws -> ValueID {
        let shape = try context.shape(x)
        switch reduction {
        case .sum: return try expand(context, dy, shape)
        case .mean: return try expand(context, dy, shape, divisor: max(1, loops.reduced))
        case .sumOfSquares: return try context.multiply(context.scale(dy, by: 2), x)
        case .l1: return try context.multiply(dy, context.emit("Sign", [x]))
        case .l2:
            // Zero where all elements are.
            let isZero = try context.emit("Equal", [y, context.program.scalar(0, like: y)])
            let safe = try context.emit("Where", [isZero, context.program.scalar(1, like: y), y])
            return try context.multiply(context.divide(dy, safe), x)
        case .logSum: return try expand(context, context.multiply(dy, context.emit("Exp", [context.negate(y)])), shape)
        case .logSumExp:
            return try context.multiply(dy, context.emit("Exp", [context.subtract(x, y)]))
        case .maximum, .minimum:
            // In equal shares to all elements that are the extreme.
            let type = try context.program.fact(x).type
            let mask = try context.emit(
                "Cast", [context.emit("Equal", [x, y])], ["to": Int(type.rawValue)])
            let count = try context.reduceSum(mask, axes: axes)
            return try context.multiply(mask, context.divide(dy, count))
        case .product:
            return try context.emit(
                "ReduceProdGradient", domain: "rene", [dy, x], ["axes": axes])
        }
    }

    private static func expand(_ context: GradientContext, _ value: ValueID, _ shape: [Int], divisor: Int = 1) throws
        -> ValueID
    {
        if divisor == 1, try context.shape(value) == shape { return value }
        return try context.emit("ExpandShare", domain: "rene", [value], ["shape": shape, "divisor": divisor])
    }

    /// x / divisor, broadcast to a shape.
    static let expandShare = Operator(
        "ExpandShare", domain: "rene",
        gradient: { context in
            let scaled = try context.scale(
                context.gradient(), by: 1 / Double(context.attributes.int("divisor", otherwise: 1)))
            return [try context.unbroadcast(scaled, to: context.shape(context.input(0)))]
        },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            let shape = preparation.attributes.ints("shape") ?? fact.shape
            let divisor = Double(max(1, preparation.attributes.int("divisor", otherwise: 1)))
            let scale = Float(1 / divisor)
            let element = try preparation.storage(fact.type).element
            let loops = try BroadcastLoops([fact.shape, shape])
            guard loops.shape == shape else {
                throw ExecutionError.shape("\(fact.shape) cannot be expanded to \(shape)")
            }
            let step = loops.steps[0]
            let floats: Kernel = { arguments in
                let x = unsafe arguments.input(0, Float.self)
                let y = unsafe arguments.output(0, Float.self)
                loops.run(arguments.pool) { run in
                    if step == 0 {
                        unsafe rene_fill(y + run.start, scale * x[run.a], run.length)
                    } else {
                        unsafe rene_mul_scalar(y + run.start, x + run.a, scale, run.length)
                    }
                }
            }
            func make<T: Element>(_: T.Type) -> Kernel {
                let factor = T(clamping: divisor)
                return { arguments in
                    let x = unsafe arguments.input(0, T.self)
                    let y = unsafe arguments.output(0, T.self)
                    loops.run(arguments.pool) { run in
                        for index in 0..<run.length {
                            unsafe y[run.start + index] = T.dividing(x[run.a + index * step], factor)
                        }
                    }
                }
            }
            return Prepared(
                [TensorFact(type: fact.type, shape: shape)],
                kernel: fact.type.storage == .float ? floats : make(element))
        })

    /// dy times the product of all other elements of the set, which holds with zeros too; of (dy, x).
    static let product = Operator("ReduceProdGradient", domain: "rene") { preparation in
        let (gradient, fact) = (try preparation.fact(0), try preparation.fact(1))
        let element = try preparation.storage(fact.type).element
        let axes = preparation.attributes.ints("axes") ?? []
        let loops = try ReductionLoops(fact.shape, axes: Axes.normalized(axes, rank: fact.shape.count))
        guard gradient.type == fact.type, gradient.count == loops.kept else {
            throw ExecutionError.shape("ReduceProdGradient of \(gradient.shape) and \(fact.shape)")
        }
        func make<T: Element>(_: T.Type) -> Kernel {
            { arguments in
                let dy = unsafe arguments.input(0, T.self)
                let x = unsafe arguments.input(1, T.self)
                let dx = unsafe arguments.output(0, T.self)
                ReductionKernel.forEachResult(loops, arguments.pool) { result, elements in
                    let g = unsafe dy[result].asDouble
                    var (product, zeros) = (1.0, 0)
                    elements { index in
                        let value = unsafe x[index].asDouble
                        if value == 0 { zeros += 1 } else { product *= value }
                    }
                    elements { index in
                        let value = unsafe x[index].asDouble
                        let others = zeros == 0 ? product / value : zeros == 1 && value == 0 ? product : 0
                        unsafe dx[index] = T(clamping: g * others)
                    }
                }
            }
        }
        return Prepared([fact], kernel: make(element))
    }
}
