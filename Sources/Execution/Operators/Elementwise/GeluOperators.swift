internal import CKernels
internal import ConverterKit
internal import Glibc

/// Gelu: x·Φ(x), exact or by tanh, ONNX's own and the forms of com.microsoft, which may add a bias first.
enum GeluOperators {
    static let all =
        functions.flatMap(\.operators) + [
            biased("BiasGelu", exact), biased("FastGelu", byTanh), gelu("Gelu", domain: ""),
            gelu("Gelu", domain: "com.microsoft"),
        ]

    static let functions = [exact, byTanh]

    /// x·½·(1 + erf(x/√2)).
    static let exact = UnaryFunction(
        "ExactGelu", domain: "rene", { x, _ in 0.5 * x * (1 + erf(x / 2.0.squareRoot())) },
        derivative: .ofInput { x, _ in
            0.5 * (1 + erf(x / 2.0.squareRoot())) + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
        },
        floats: { _ in FloatMap { unsafe rene_gelu($0, $1, $2) } },
        floatDerivative: { _ in FloatDerivative { unsafe rene_gelu_gradient($0, $1, $2, $3) } })

    /// x·½·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
    static let byTanh = UnaryFunction(
        "TanhGelu", domain: "rene", { x, _ in 0.5 * x * (1 + tanh(inner(x))) },
        derivative: .ofInput { x, _ in
            let t = tanh(inner(x))
            let slope = (2 / Double.pi).squareRoot() * (1 + 3 * 0.044715 * x * x)
            return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope
        },
        floats: { _ in FloatMap { unsafe rene_gelu_tanh($0, $1, $2) } },
        floatDerivative: { _ in FloatDerivative { unsafe rene_gelu_tanh_gradient($0, $1, $2, $3) } })

    private static func inner(_ x: Double) -> Double { (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x) }

    private static func kind(_ attributes: AttributeList) throws -> UnaryFunction {
        switch attributes.string("approximate") {
        case nil, "none": exact
        case "tanh": byTanh
        case let other?: throw ExecutionError.attribute("Gelu approximated by \(other)")
        }
    }

    private static func gelu(_ name: String, domain: String) -> Operator {
        Operator(
            name, domain: domain,
            gradient: { context in
                let name = "\(try kind(context.attributes).name)Gradient"
                return [try context.emit(name, domain: "rene", [context.gradient(), context.input(0)])]
            },
            prepare: { preparation in try prepare(preparation, kind(preparation.attributes)) })
    }

    /// f(x + bias); the bias, of the last axis or broadcast, may be left out.
    private static func biased(_ name: String, _ function: UnaryFunction) -> Operator {
        Operator(
            name, domain: "com.microsoft",
            gradient: { context in
                let bias = context.inputs.indices.contains(1) ? context.inputs[1] : nil
                let sum = try bias.map { try context.add(context.input(0), $0) } ?? context.input(0)
                let gradient = try context.emit(
                    "\(function.name)Gradient", domain: "rene", [context.gradient(), sum])
                return [gradient, bias == nil ? nil : try context.sum(gradient, toInput: 1)]
            },
            prepare: { preparation in try prepare(preparation, function) })
    }

    private static func prepare(_ preparation: Preparation, _ function: UnaryFunction) throws -> Prepared {
        let fact = try preparation.fact(0)
        let element = try preparation.storage(fact.type).element
        guard fact.type.isFloating else { throw preparation.unsuitable(fact.type) }
        let value = function.value
        let map = function.floatMap(.init())
        guard preparation.isStated(1) else {
            func make<T: Element>(_: T.Type) -> Kernel {
                ElementLoops.map(count: fact.count) { (x: T) in T(clamping: value(x.asDouble, .init())) }
            }
            let kernel =
                fact.type.storage == .float ? ElementLoops.map(count: fact.count, map) : make(element)
            return Prepared([fact], overwritable: [0], kernel: kernel)
        }
        let loops = try preparation.pair().loops
        guard loops.shape == fact.shape else {
            throw ExecutionError.shape("\(preparation.use.key) of \(fact.shape) with a bias of more axes")
        }
        func make<T: Element>(_: T.Type) -> Kernel {
            ElementLoops.zip(loops) { (x: T, bias: T) in T(clamping: value(x.asDouble + bias.asDouble, .init())) }
        }
        let (aStep, bStep) = (loops.steps[0], loops.steps[1])
        let floats: Kernel = { arguments in
            let x = unsafe arguments.input(0, Float.self)
            let bias = unsafe arguments.input(1, Float.self)
            let y = unsafe arguments.output(0, Float.self)
            loops.run(arguments.pool) { run in
                unsafe FloatBinary.add.run(y + run.start, x + run.a, aStep, bias + run.b, bStep, run.length)
                unsafe map(y + run.start, y + run.start, run.length)
            }
        }
        return Prepared(
            [fact], overwritable: [0], kernel: fact.type.storage == .float ? floats : make(element))
    }
}
