internal import CKernels
internal import ConverterKit
internal import Glibc

/// Elementary functions of each element. Abs, Neg and Sign also of integers.
enum MathOperators {
    static let all = functions.flatMap(\.operators) + integers

    static let functions: [UnaryFunction] = rounding + powers + circular + hyperbolic + [error]

    static let rounding: [UnaryFunction] = [
        UnaryFunction(
            "Ceil", { x, _ in x.rounded(.up) }, derivative: .zero,
            floats: { _ in FloatMap { unsafe rene_ceil($0, $1, $2) } }),
        UnaryFunction(
            "Floor", { x, _ in x.rounded(.down) }, derivative: .zero,
            floats: { _ in FloatMap { unsafe rene_floor($0, $1, $2) } }),
        UnaryFunction(
            "Round", { x, _ in x.rounded(.toNearestOrEven) }, derivative: .zero,
            floats: { _ in FloatMap { unsafe rene_round($0, $1, $2) } }),
    ]

    static let powers: [UnaryFunction] = [
        UnaryFunction(
            "Sqrt", { x, _ in x.squareRoot() }, derivative: .ofOutput { y, _ in 0.5 / y },
            floats: { _ in FloatMap { unsafe rene_sqrt($0, $1, $2) } },
            floatDerivative: { _ in FloatDerivative { unsafe rene_sqrt_gradient($0, $1, $2, $3) } }),
        UnaryFunction(
            "Reciprocal", { x, _ in 1 / x }, derivative: .ofOutput { y, _ in -y * y },
            floats: { _ in FloatMap { unsafe rene_reciprocal($0, $1, $2) } },
            floatDerivative: { _ in FloatDerivative { unsafe rene_reciprocal_gradient($0, $1, $2, $3) } }),
        UnaryFunction(
            "Exp", { x, _ in exp(x) }, derivative: .ofOutput { y, _ in y },
            floats: { _ in FloatMap { unsafe rene_exp($0, $1, $2) } },
            floatDerivative: { _ in FloatDerivative { unsafe rene_exp_gradient($0, $1, $2, $3) } }),
        UnaryFunction(
            "Log", { x, _ in log(x) }, derivative: .ofInput { x, _ in 1 / x },
            floats: { _ in FloatMap { unsafe rene_log($0, $1, $2) } },
            floatDerivative: { _ in FloatDerivative { unsafe rene_log_gradient($0, $1, $2, $3) } }),
    ]

    static let circular: [UnaryFunction] = [
        UnaryFunction(
            "Sin", { x, _ in sin(x) }, derivative: .ofInput { x, _ in cos(x) },
            floats: { _ in FloatMap { unsafe rene_sin($0, $1, $2) } }),
        UnaryFunction(
            "Cos", { x, _ in cos(x) }, derivative: .ofInput { x, _ in -sin(x) },
            floats: { _ in FloatMap { unsafe rene_cos($0, $1, $2) } }),
        UnaryFunction("Tan", { x, _ in tan(x) }, derivative: .ofOutput { y, _ in 1 + y * y }),
        UnaryFunction("Asin", { x, _ in asin(x) }, derivative: .ofInput { x, _ in 1 / (1 - x * x).squareRoot() }),
        UnaryFunction("Acos", { x, _ in acos(x) }, derivative: .ofInput { x, _ in -1 / (1 - x * x).squareRoot() }),
        UnaryFunction("Atan", { x, _ in atan(x) }, derivative: .ofInput { x, _ in 1 / (1 + x * x) }),
    ]

    static let hyperbolic: [UnaryFunction] = [
        UnaryFunction("Sinh", { x, _ in sinh(x) }, derivative: .ofInput { x, _ in cosh(x) }),
        UnaryFunction("Cosh", { x, _ in cosh(x) }, derivative: .ofInput { x, _ in sinh(x) }),
        UnaryFunction(
            "Tanh", { x, _ in tanh(x) }, derivative: .ofOutput { y, _ in 1 - y * y },
            floats: { _ in FloatMap { unsafe rene_tanh($0, $1, $2) } },
            floatDerivative: { _ in FloatDerivative { unsafe rene_tanh_gradient($0, $1, $2, $3) } }),
        UnaryFunction("Asinh", { x, _ in asinh(x) }, derivative: .ofInput { x, _ in 1 / (x * x + 1).squareRoot() }),
        UnaryFunction("Acosh", { x, _ in acosh(x) }, derivative: .ofInput { x, _ in 1 / (x * x - 1).squareRoot() }),
        UnaryFunction("Atanh", { x, _ in atanh(x) }, derivative: .ofInput { x, _ in 1 / (1 - x * x) }),
    ]

    /// ∂erf = 2/√π · e^(−x²).
    static let error = UnaryFunction(
        "Erf", takesIntegers: true, { x, _ in erf(x) },
        derivative: .ofInput { x, _ in 2 / Double.pi.squareRoot() * exp(-x * x) },
        floats: { _ in FloatMap { unsafe rene_erf($0, $1, $2) } },
        floatDerivative: { _ in FloatDerivative { unsafe rene_erf_gradient($0, $1, $2, $3) } })

    /// Abs, Neg and Sign, in the type's own arithmetic.
    static let integers: [Operator] = [
        signed("Abs", magnitude),
        signed("Neg", negative),
        signed("Sign", sign),
    ]

    static let magnitude = FloatMap { unsafe rene_abs($0, $1, $2) }
    static let negative = FloatMap { unsafe rene_neg($0, $1, $2) }
    static let sign = FloatMap { unsafe rene_sign($0, $1, $2) }

    private static func signed(_ name: String, _ floats: FloatMap) -> Operator {
        let rule: GradientRule = { context in
            switch name {
            case "Abs":
                return [try context.multiply(context.gradient(), context.emit("Sign", [context.input(0)]))]
            case "Neg": return [try context.negate(context.gradient())]
            default: return [nil]
            }
        }
        return Operator(name, gradient: rule) { preparation in
            let fact = try preparation.fact(0)
            let (storage, element) = try preparation.storage(fact.type)
            guard fact.type != .bool else { throw preparation.unsuitable(fact.type) }
            func make<T: Element>(_: T.Type) -> Kernel {
                let one = T(clamping: 1)
                return ElementLoops.map(count: fact.count) { (x: T) -> T in
                    let negative = T.subtracting(T.zero, x)
                    switch name {
                    case "Abs": return x < T.zero ? negative : x
                    case "Neg": return negative
                    default: return x > T.zero ? one : x < T.zero ? T.subtracting(T.zero, one) : x
                    }
                }
            }
            return Prepared(
                [fact], overwritable: [0],
                kernel: storage == .float ? ElementLoops.map(count: fact.count, floats) : make(element))
        }
    }
}
