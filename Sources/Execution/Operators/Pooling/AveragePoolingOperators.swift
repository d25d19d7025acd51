internal import ConverterKit
internal import Glibc

/// The mean and the p-norm of each window.
enum AveragePoolingOperators {
    static let all = [averagePool, gradientOperator, lpPool]

    static let averagePool = Operator("AveragePool", gradient: gradient) { preparation in
        let fact = try preparation.fact(0)
        let window = try PoolingWindow(preparation.attributes, input: fact.shape)
        let shares = shares(window, preparation.attributes)
        let planes = fact.shape[0] * fact.shape[1]
        func make<T: RealElement>(_: T.Type) -> Kernel {
            let factors = shares.map { T($0) }
            return { arguments in
                let (x, y) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
                arguments.pool.split(planes, grain: grain(window)) { range in
                    for plane in range {
                        let to = unsafe y + plane * window.outputPlane
                        unsafe window.sums(of: x + plane * window.inputPlane, into: to)
                        unsafe scale(to, by: factors)
                    }
                }
            }
        }
        return Prepared(
            [TensorFact(type: fact.type, shape: Array(fact.shape[..<2]) + window.output)],
            kernel: make(try fact.realElement("AveragePool")))
    }

    /// By output position, what each pixel of the window contributes.
    private static func shares(_ window: PoolingWindow, _ attributes: AttributeList) -> [Double] {
        let counts = attributes.flag("count_include_pad") ? window.paddedCounts : window.counts
        return counts.map { 1 / Double(max(1, $0)) }
    }

    private static func grain(_ window: PoolingWindow) -> Int {
        max(1, (1 << 14) / max(1, window.outputPlane * window.taps))
    }

    @specialized(where T == Float)
    private static func scale<T: RealElement>(_ y: UnsafeMutablePointer<T>, by factors: [T]) {
        for index in factors.indices { unsafe y[index] *= factors[index] }
    }

    /// `∂X` from `∂Y`; the attributes are those of AveragePool, with `input_shape`, all extents of X.
    static let gradientOperator = Operator("AveragePoolGradient", domain: "rene") { preparation in
        let dy = try preparation.fact(0)
        let shape = preparation.attributes.ints("input_shape") ?? []
        let window = try PoolingWindow(preparation.attributes, input: shape)
        guard dy.shape == Array(shape[..<2]) + window.output else {
            throw ExecutionError.shape("AveragePoolGradient of \(dy.shape) for \(shape)")
        }
        let shares = shares(window, preparation.attributes)
        func make<T: RealElement>(_: T.Type) -> Kernel {
            let factors = shares.map { T($0) }
            return { arguments in
                let (dy, dx) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
                arguments.pool.split(shape[0] * shape[1], grain: grain(window)) { range in
                    for plane in range {
                        unsafe factors.withUnsafeBufferPointer { factors in
                            guard let factors = factors.baseAddress else { return }
                            unsafe window.spread(
                                dy + plane * window.outputPlane, factors: factors,
                                into: dx + plane * window.inputPlane, count: window.inputPlane)
                        }
                    }
                }
            }
        }
        return Prepared(
            [TensorFact(type: dy.type, shape: shape)], kernel: make(try dy.realElement("AveragePoolGradient")))
    }

    private static let gradient: GradientRule = { context in
        var attributes = context.attributes
        attributes.set("input_shape", try context.shape(context.input(0)))
        return [try context.emit("AveragePoolGradient", domain: "rene", [context.gradient()], attributes)]
    }

    /// `(Σ |x|ᵖ)^(1/p)` over each window.
    static let lpPool = Operator("LpPool") { preparation in
        let fact = try preparation.fact(0)
        let window = try PoolingWindow(preparation.attributes, input: fact.shape)
        let power =
            Double(preparation.attributes.int("p") ?? 2)
            * (preparation.attributes.float("p").map { Double($0) / 2 } ?? 1)
        let planes = fact.shape[0] * fact.shape[1]
        func make<T: RealElement>(_: T.Type) -> Kernel {
            { arguments in
                let (x, y) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
                arguments.pool.split(planes, grain: grain(window)) { range in
                    for plane in range {
                        let (from, to) = unsafe (x + plane * window.inputPlane, y + plane * window.outputPlane)
                        unsafe to.update(repeating: 0, count: window.outputPlane)
                        for run in window.runs {
                            for index in 0..<run.count {
                                let value = unsafe Double(from[run.input + index * window.step])
                                unsafe to[run.output + index] += T(pow(abs(value), power))
                            }
                        }
                        for index in 0..<window.outputPlane {
                            unsafe to[index] = T(pow(Double(to[index]), 1 / power))
                        }
                    }
                }
            }
        }
        return Prepared(
            [TensorFact(type: fact.type, shape: Array(fact.shape[..<2]) + window.output)],
            kernel: make(try fact.realElement("LpPool")))
    }
}
