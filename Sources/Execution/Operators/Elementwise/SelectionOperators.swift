internal import ConverterKit

/// Operators that choose by element: Where, and PRelu with its derivative.
enum SelectionOperators {
    static let all = [choose, parametricRelu, parametricReluGradient]

    /// Where: condition ? a : b, all three broadcast.
    static let choose = Operator("Where", gradient: chooseGradient) { preparation in
        let (condition, a, b) = (try preparation.fact(0), try preparation.fact(1), try preparation.fact(2))
        guard condition.type == .bool, a.type == b.type else {
            throw ExecutionError.type("Where of \(condition.type), \(a.type) and \(b.type)")
        }
        let loops = try BroadcastLoops([condition.shape, a.shape, b.shape])
        let fact = TensorFact(type: a.type, shape: loops.shape)
        let kernel: Kernel
        switch a.type.storage {
        case .float, .int32, .uint32: kernel = select(loops, UInt32.self)
        case .double, .int64, .uint64: kernel = select(loops, UInt64.self)
        case .int16, .uint16: kernel = select(loops, UInt16.self)
        case .int8, .uint8: kernel = select(loops, UInt8.self)
        case .string: return try selectStrings(preparation, loops)
        case nil: throw preparation.unsuitable(a.type)
        }
        let overwritable = [1, 2].filter { $0 == 1 ? a.shape == loops.shape : b.shape == loops.shape }
        return Prepared([fact], overwritable: overwritable, kernel: kernel)
    }

    /// Elements are only moved, so that their width says all.
    private static func select<T: Element>(_ loops: BroadcastLoops, _: T.Type) -> Kernel {
        let (conditionStep, aStep, bStep) = (loops.steps[0], loops.steps[1], loops.steps[2])
        return { arguments in
            let condition = unsafe arguments.input(0, UInt8.self)
            let a = unsafe arguments.input(1, T.self)
            let b = unsafe arguments.input(2, T.self)
            let y = unsafe arguments.output(0, T.self)
            loops.run(arguments.pool) { run in
                for index in 0..<run.length {
                    let isFirst = unsafe condition[run.a + index * conditionStep] != 0
                    unsafe y[run.start + index] = isFirst ? a[run.b + index * aStep] : b[run.c + index * bStep]
                }
            }
        }
    }

    private static func selectStrings(_ preparation: Preparation, _ loops: BroadcastLoops) throws -> Prepared {
        guard let condition = try preparation.content(0)?.integers(), let a = try preparation.content(1)?.strings,
            let b = try preparation.content(2)?.strings
        else { throw ExecutionError.missingInput("of Where") }
        var result = [String](repeating: "", count: loops.count)
        let steps = loops.steps
        loops.run(ThreadPool.shared(width: 1)) { run in
            for index in 0..<run.length {
                let isFirst = condition[run.a + index * steps[0]] != 0
                result[run.start + index] = isFirst ? a[run.b + index * steps[1]] : b[run.c + index * steps[2]]
            }
        }
        return .known(try TensorValue(strings: result, shape: loops.shape))
    }

    private static let chooseGradient: GradientRule = { context in
        let condition = try context.input(0)
        let gradient = try context.gradient()
        let zero = try context.program.scalar(0, like: gradient)
        return [
            nil,
            context.wants(1)
                ? try context.unbroadcast(
                    context.emit("Where", [condition, gradient, zero]), to: context.shape(context.input(1))) : nil,
            context.wants(2)
                ? try context.unbroadcast(
                    context.emit("Where", [condition, zero, gradient]), to: context.shape(context.input(2))) : nil,
        ]
    }

    /// x < 0 ? slope·x : x. The slope is broadcast to x; before version 7 it is one number, or one for each channel.
    static let parametricRelu = Operator("PRelu", gradient: parametricGradient) { preparation in
        let (x, slope) = (try preparation.fact(0), try preparation.fact(1))
        let (storage, element) = try preparation.storage(x.type)
        let loops = try BroadcastLoops([x.shape, slopeShape(x.shape, slope.shape, version: preparation.version)])
        guard slope.type == x.type else { throw ExecutionError.type("PRelu of \(x.type) and \(slope.type)") }
        guard loops.shape == x.shape else {
            throw ExecutionError.shape("PRelu of \(x.shape) with slopes of \(slope.shape)")
        }
        func make<T: Element>(_: T.Type) -> Kernel {
            ElementLoops.zip(loops) { (x: T, slope: T) -> T in x < T.zero ? T.multiplying(slope, x) : x }
        }
        let kernel =
            storage == .float
            ? ElementLoops.zip(loops) { (x: Float, s: Float) -> Float in x < 0 ? s * x : x } : make(element)
        return Prepared([x], overwritable: [0], kernel: kernel)
    }

    private static func slopeShape(_ x: [Int], _ slope: [Int], version: Int) -> [Int] {
        guard version < 7, slope.count == 1, x.count > 2 else { return slope }
        return slope + [Int](repeating: 1, count: x.count - 2)
    }

    /// ∂x = x < 0 ? slope·dy : dy; of (dy, x, slope).
    static let parametricReluGradient = Operator("PReluGradient", domain: "rene") { preparation in
        let (gradient, x, slope) = (try preparation.fact(0), try preparation.fact(1), try preparation.fact(2))
        let element = try preparation.storage(x.type).element
        let loops = try BroadcastLoops([gradient.shape, x.shape, slope.shape])
        func make<T: Element>(_: T.Type) -> Kernel {
            let step = loops.steps[2]
            return { arguments in
                let gradient = unsafe arguments.input(0, T.self)
                let x = unsafe arguments.input(1, T.self)
                let slope = unsafe arguments.input(2, T.self)
                let y = unsafe arguments.output(0, T.self)
                loops.run(arguments.pool) { run in
                    for index in run.start..<run.start + run.length {
                        let factor = unsafe slope[run.c + (index - run.start) * step]
                        let g = unsafe gradient[index]
                        unsafe y[index] = x[index] < T.zero ? T.multiplying(g, factor) : g
                    }
                }
            }
        }
        guard gradient.shape == x.shape, loops.shape == x.shape else {
            throw ExecutionError.shape("PReluGradient of \(gradient.shape) and \(x.shape)")
        }
        return Prepared([x], overwritable: [0], kernel: make(element))
    }

    /// ∂slope = Σ dy·min(x, 0).
    private static let parametricGradient: GradientRule = { context in
        let (x, slope) = (try context.input(0), try context.input(1))
        let gradient = try context.gradient()
        let extents = try slopeShape(context.shape(x), context.shape(slope), version: context.version)
        let shaped = try context.reshape(slope, extents)
        var results: [ValueID?] = [nil, nil]
        if context.wants(0) { results[0] = try context.emit("PReluGradient", domain: "rene", [gradient, x, shaped]) }
        if context.wants(1) {
            let negative = try context.emit("Min", [x, context.program.scalar(0, like: x)])
            let sum = try context.unbroadcast(context.multiply(gradient, negative), to: extents)
            results[1] = try context.reshape(sum, context.shape(slope))
        }
        return results
    }
}
