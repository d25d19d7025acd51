internal import ConverterKit

/// A real function of one number that an operator applies to each element, with its derivative.
///
/// A table of these gives the operators, the derivative operators `rene::…Gradient` of (dy, x or y), and the steps that
/// chains of elementwise operators are fused from.
struct UnaryFunction: Sendable {
    /// What the attributes say: most functions have at most two numbers.
    struct Parameters: Sendable {
        var a: Double
        var b: Double

        init(_ a: Double = 0, _ b: Double = 0) { (self.a, self.b) = (a, b) }
    }

    enum Derivative: Sendable {
        /// f′ of the input or of the output.
        case ofInput(@Sendable (Double, Parameters) -> Double)
        case ofOutput(@Sendable (Double, Parameters) -> Double)
        /// Zero wherever there is one: Floor, Sign.
        case zero

        var isOfOutput: Bool { if case .ofOutput = self { true } else { false } }

        var function: @Sendable (Double, Parameters) -> Double {
            switch self {
            case .ofInput(let function), .ofOutput(let function): function
            case .zero: { _, _ in 0 }
            }
        }
    }

    let name: String
    let domain: String
    let value: @Sendable (Double, Parameters) -> Double
    let derivative: Derivative
    /// Loops for single precision; `nil` for those of `value`.
    let floats: (@Sendable (Parameters) -> FloatMap)?
    let floatDerivative: (@Sendable (Parameters) -> FloatDerivative)?
    /// For integers too, in the way that `value` has it, for results that the type can hold.
    let takesIntegers: Bool
    let parameters: @Sendable (AttributeList) throws -> Parameters

    init(
        _ name: String, domain: String = "", takesIntegers: Bool = false,
        parameters: @escaping @Sendable (AttributeList) throws -> Parameters = { _ in Parameters() },
        _ value: @escaping @Sendable (Double, Parameters) -> Double, derivative: Derivative,
        floats: (@Sendable (Parameters) -> FloatMap)? = nil,
        floatDerivative: (@Sendable (Parameters) -> FloatDerivative)? = nil
    ) {
        (self.name, self.domain, self.value, self.derivative) = (name, domain, value, derivative)
        self.takesIntegers = takesIntegers
        self.parameters = parameters
        self.floats = floats
        self.floatDerivative = floatDerivative
    }

    /// Two attributes with their defaults.
    static func attributes(_ a: String, _ aDefault: Double, _ b: String? = nil, _ bDefault: Double = 0)
        -> @Sendable (
            AttributeList
        ) throws -> Parameters
    {
        { list in
            Parameters(
                list.float(a).map { Double($0) } ?? aDefault,
                b.flatMap { list.float($0) }.map { Double($0) } ?? bDefault)
        }
    }

    /// y[i] = f(x[i]) in single precision.
    func floatMap(_ parameters: Parameters) -> FloatMap {
        if let floats { return floats(parameters) }
        let value = value
        return FloatMap { y, x, count in
            for index in 0..<count { unsafe y[index] = Float(value(Double(x[index]), parameters)) }
        }
    }

    func floatDerivativeMap(_ parameters: Parameters) -> FloatDerivative {
        if let floatDerivative { return floatDerivative(parameters) }
        let slope = derivative.function
        return FloatDerivative { dx, dy, v, count in
            for index in 0..<count { unsafe dx[index] = Float(Double(dy[index]) * slope(Double(v[index]), parameters)) }
        }
    }

    /// The operator, and that of its derivative where it has one.
    var operators: [Operator] {
        var rule: GradientRule
        let (name, derivative) = (name, derivative)
        switch derivative {
        case .zero: rule = { _ in [nil] }
        case .ofInput:
            rule = { context in
                [
                    try context.emit(
                        "\(name)Gradient", domain: "rene", [context.gradient(), context.input(0)], context.attributes)
                ]
            }
        case .ofOutput:
            rule = { context in
                [
                    try context.emit(
                        "\(name)Gradient", domain: "rene", [context.gradient(), context.output()], context.attributes)
                ]
            }
        }
        var operators = [Operator(name, domain: domain, gradient: rule) { try prepare($0) }]
        if case .zero = derivative { return operators }
        operators.append(Operator("\(name)Gradient", domain: "rene") { try prepareDerivative($0) })
        return operators
    }

    private func prepare(_ preparation: Preparation) throws -> Prepared {
        let fact = try preparation.fact(0)
        let (storage, element) = try preparation.storage(fact.type)
        guard fact.type.isFloating || (takesIntegers && fact.type != .bool) else {
            throw preparation.unsuitable(fact.type)
        }
        let parameters = try parameters(preparation.attributes)
        let value = value
        func make<T: Element>(_: T.Type) -> Kernel {
            ElementLoops.map(count: fact.count) { (x: T) in T(clamping: value(x.asDouble, parameters)) }
        }
        let kernel =
            storage == .float ? ElementLoops.map(count: fact.count, floatMap(parameters)) : make(element)
        return Prepared([fact], overwritable: [0], kernel: kernel)
    }

    private func prepareDerivative(_ preparation: Preparation) throws -> Prepared {
        let (gradient, fact) = (try preparation.fact(0), try preparation.fact(1))
        guard gradient == fact, fact.type.isFloating else {
            throw ExecutionError.shape("\(name)Gradient of \(gradient.shape) and \(fact.shape)")
        }
        let parameters = try parameters(preparation.attributes)
        let count = fact.count
        if fact.type.storage == .double {
            let slope = derivative.function
            let loops = try BroadcastLoops([fact.shape, fact.shape])
            return Prepared(
                [fact], overwritable: [0, 1],
                kernel: ElementLoops.zip(loops) { (dy: Double, v: Double) in dy * slope(v, parameters) })
        }
        let map = floatDerivativeMap(parameters)
        return Prepared([fact], overwritable: [0, 1]) { arguments in
            let dy = unsafe arguments.input(0, Float.self)
            let v = unsafe arguments.input(1, Float.self)
            let dx = unsafe arguments.output(0, Float.self)
            arguments.pool.split(count, grain: BroadcastLoops.grain) { range in
                let start = range.lowerBound
                unsafe map(dx + start, dy + start, v + start, range.count)
            }
        }
    }
}
