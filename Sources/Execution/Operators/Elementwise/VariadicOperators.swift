internal import ConverterKit

/// Operators of any number of tensors of one type, broadcast: Sum, Mean, Min, Max.
enum VariadicOperators {
    static let all = [sum, mean, minimum, maximum]

    private static func variadic(
        _ name: String, _ operation: ArithmeticOperators.Operation, isMean: Bool = false,
        gradient: @escaping GradientRule
    ) -> Operator {
        Operator(name, gradient: gradient) { preparation in
            let facts = try preparation.factsOfOneType()
            let element = try preparation.storage(facts[0].type).element
            let shape = try BroadcastLoops.common(facts.map(\.shape))
            func make<T: Element>(_: T.Type) throws -> Kernel {
                try kernel(operation, facts.map(\.shape), shape, T.self, isMean: isMean)
            }
            // Of more than two, some are read after others have been written over.
            let overwritable = facts.count > 2 ? [] : facts.indices.filter { facts[$0].shape == shape }
            return Prepared(
                [TensorFact(type: facts[0].type, shape: shape)], overwritable: overwritable, kernel: try make(element))
        }
    }

    /// ((x₀ ∘ x₁) ∘ x₂) ∘ …
    private static func kernel<T: Element>(
        _ operation: ArithmeticOperators.Operation, _ shapes: [[Int]], _ shape: [Int], _: T.Type, isMean: Bool
    ) throws -> Kernel {
        let function = operation.function(T.self)
        let floats = operation.floats
        let first = try BroadcastLoops([shapes[0], shapes.count > 1 ? shapes[1] : shape])
        // A first pair of smaller extents than the result is not computed in its place.
        let startsWithPair = shapes.count > 1 && first.shape == shape
        let loops = try shapes.dropFirst(startsWithPair ? 2 : 0).map { try BroadcastLoops([shape, $0]) }
        let pairs = startsWithPair ? first : nil
        let count = try shape.elementCount()
        let divisor = T(clamping: Double(shapes.count))
        return { arguments in
            let y = unsafe arguments.output(0, T.self)
            let isFloat = T.storage == .float
            func combine(_ loops: BroadcastLoops, _ a: UnsafePointer<T>, _ b: UnsafePointer<T>) {
                let (aStep, bStep) = (loops.steps[0], loops.steps[1])
                loops.run(arguments.pool) { run in
                    if isFloat {
                        unsafe floats.run(
                            UnsafeMutableRawPointer(y + run.start).assumingMemoryBound(to: Float.self),
                            UnsafeRawPointer(a + run.a).assumingMemoryBound(to: Float.self), aStep,
                            UnsafeRawPointer(b + run.b).assumingMemoryBound(to: Float.self), bStep, run.length)
                        return
                    }
                    for index in 0..<run.length {
                        unsafe y[run.start + index] = function(a[run.a + index * aStep], b[run.b + index * bStep])
                    }
                }
            }
            if let pairs { unsafe combine(pairs, arguments.input(0), arguments.input(1)) }
            for (index, loop) in loops.enumerated() {
                let number = index + (pairs == nil ? 0 : 2)
                let b = unsafe arguments.input(number, T.self)
                if number == 0 {
                    let step = loop.steps[1]
                    loop.run(arguments.pool) { run in
                        for index in 0..<run.length { unsafe y[run.start + index] = b[run.b + index * step] }
                    }
                } else {
                    unsafe combine(loop, UnsafePointer(y), b)
                }
            }
            guard isMean else { return }
            arguments.pool.split(count, grain: BroadcastLoops.grain) { range in
                for index in range { unsafe y[index] = T.dividing(y[index], divisor) }
            }
        }
    }

    static let sum = variadic("Sum", .add) { context in
        try context.inputs.indices.map { index in
            guard context.wants(index) else { return nil }
            return try context.unbroadcast(context.gradient(), to: context.shape(context.input(index)))
        }
    }

    static let mean = variadic("Mean", .add, isMean: true) { context in
        let share = try context.scale(context.gradient(), by: 1 / Double(max(1, context.inputs.count)))
        return try context.inputs.indices.map { index in
            guard context.wants(index) else { return nil }
            return try context.unbroadcast(share, to: context.shape(context.input(index)))
        }
    }

    static let minimum = variadic("Min", .minimum, gradient: choice)
    static let maximum = variadic("Max", .maximum, gradient: choice)

    /// The gradient goes in equal shares to those inputs that equal the result.
    private static let choice: GradientRule = { context in
        let gradient = try context.gradient()
        let type = try context.program.fact(gradient).type
        let masks = try context.inputs.indices.map { index in
            let equal = try context.emit("Equal", [context.input(index), context.output()])
            return try context.emit("Cast", [equal], ["to": Int(type.rawValue)])
        }
        let share = try context.divide(gradient, masks.count > 1 ? context.emit("Sum", masks) : masks[0])
        return try context.inputs.indices.map { index in
            guard context.wants(index) else { return nil }
            return try context.unbroadcast(
                context.multiply(share, masks[index]), to: context.shape(context.input(index)))
        }
    }
}
