internal import CKernels
internal import ConverterKit
internal import Glibc

/// An operation that chains of elementwise operators are made of, with its loops for single precision. These are the
/// loops of the operators themselves, so that fused results are the same.
struct ElementwiseOperation: Sendable {
    enum Loop: Sendable {
        case map(FloatMap)
        case binary(FloatBinary)
        case derivative(FloatDerivative)
    }

    let key: OperatorKey
    let parameters: UnaryFunction.Parameters
    let loop: Loop
    /// Of as many numbers as it has operands.
    let evaluate: @Sendable ([Double]) -> Double

    var arity: Int { if case .map = loop { 1 } else { 2 } }

    private static let binaries: [String: (FloatBinary, @Sendable (Double, Double) -> Double)] = [
        "Add": (.add, { $0 + $1 }), "Sub": (.subtract, { $0 - $1 }), "Mul": (.multiply, { $0 * $1 }),
        "Div": (.divide, { $0 / $1 }), "Min": (.minimum, { $0 < $1 || $0.isNaN ? $0 : $1 }),
        "Max": (.maximum, { $0 > $1 || $0.isNaN ? $0 : $1 }), "Pow": (PowerOperators.floats, { pow($0, $1) }),
    ]

    private static let clip = UnaryFunction(
        "Clip", { x, p in min(max(x, p.a), p.b) }, derivative: .ofInput { x, p in x > p.a && x < p.b ? 1 : 0 },
        floats: { p in FloatMap { unsafe rene_clip($0, $1, Float(p.a), Float(p.b), $2) } },
        floatDerivative: { p in
            FloatDerivative { unsafe rene_clip_gradient($0, $1, $2, Float(p.a), Float(p.b), $3) }
        })

    private static let functions: [UnaryFunction] =
        MathOperators.functions + ActivationOperators.functions + GeluOperators.functions + [
            clip,
            UnaryFunction("Abs", { x, _ in abs(x) }, derivative: .zero, floats: { _ in MathOperators.magnitude }),
            UnaryFunction("Neg", { x, _ in -x }, derivative: .zero, floats: { _ in MathOperators.negative }),
            UnaryFunction(
                "Sign", { x, _ in x > 0 ? 1 : x < 0 ? -1 : x }, derivative: .zero,
                floats: { _ in MathOperators.sign }),
        ]

    private static let maps = Dictionary(
        functions.map { (OperatorKey(domain: $0.domain, name: $0.name), $0) }, uniquingKeysWith: { first, _ in first })

    private static let derivatives = Dictionary(
        functions.filter { if case .zero = $0.derivative { false } else { true } }
            .map { (OperatorKey(domain: "rene", name: "\($0.name)Gradient"), $0) },
        uniquingKeysWith: { first, _ in first })

    /// `nil` for an operator that is none of these.
    init?(_ key: OperatorKey, _ parameters: UnaryFunction.Parameters) {
        self.key = key
        self.parameters = parameters
        if let function = Self.maps[key] {
            let value = function.value
            loop = .map(function.floatMap(parameters))
            evaluate = { value($0[0], parameters) }
        } else if let function = Self.derivatives[key] {
            let slope = function.derivative.function
            loop = .derivative(function.floatDerivativeMap(parameters))
            evaluate = { $0[0] * slope($0[1], parameters) }
        } else if key.domain.isEmpty, let (floats, value) = Self.binaries[key.name] {
            loop = .binary(floats)
            evaluate = { value($0[0], $0[1]) }
        } else {
            return nil
        }
    }

    /// By the description of its key.
    init?(named name: String, _ parameters: UnaryFunction.Parameters) {
        if let split = name.firstRange(of: "::") {
            self.init(
                OperatorKey(domain: String(name[..<split.lowerBound]), name: String(name[split.upperBound...])),
                parameters)
        } else {
            self.init(OperatorKey(domain: "", name: name), parameters)
        }
    }

    /// What a use of an operator computes, and how many of its inputs are operands; `nil` when that is no elementwise
    /// operation of this list. `constant` gives the content of an input that is one number in every run; by input,
    /// `isStated` says whether the node has it.
    init?(_ use: OperatorUse, isStated: [Bool], constant: (Int) -> Float?) {
        let inputs = isStated.count
        guard use.version >= 7 || use.key.domain == "rene" else { return nil }
        switch use.key {
        case OperatorKey(domain: "", name: "Gelu"):
            let isTanh = use.attributes.string("approximate") == "tanh"
            self.init(OperatorKey(domain: "rene", name: isTanh ? "TanhGelu" : "ExactGelu"), .init())
        case OperatorKey(domain: "com.microsoft", name: "Gelu"):
            self.init(OperatorKey(domain: "rene", name: "ExactGelu"), .init())
        case OperatorKey(domain: "", name: "Clip"), OperatorKey(domain: "rene", name: "ClipGradient"):
            let first = use.key.domain.isEmpty ? 1 : 2
            var bounds: [Float] = [-.infinity, .infinity]
            for (index, name) in ["min", "max"].enumerated() {
                if let stated = use.attributes.float(name) { bounds[index] = stated }
                guard inputs > first + index, isStated[first + index] else { continue }
                guard let bound = constant(first + index) else { return nil }
                bounds[index] = bound
            }
            self.init(use.key, .init(Double(bounds[0]), Double(bounds[1])))
        case OperatorKey(domain: "", name: "Sum"):
            guard inputs == 2 else { return nil }
            self.init(OperatorKey(domain: "", name: "Add"), .init())
        default:
            guard let function = Self.maps[use.key] ?? Self.derivatives[use.key] else {
                guard inputs == 2 else { return nil }
                self.init(use.key, .init())
                return
            }
            guard let parameters = try? function.parameters(use.attributes) else { return nil }
            self.init(use.key, parameters)
        }
    }
}
