internal import CKernels
internal import Glibc

/// Activation functions, each a row of a table: equation, derivative, and loops for single precision.
enum ActivationOperators {
    static let all = functions.flatMap(\.operators)

    static let functions: [UnaryFunction] = rectifiers + exponentials + gates + [shrink]

    static let rectifiers: [UnaryFunction] = [
        UnaryFunction(
            "Relu", takesIntegers: true, { x, _ in x < 0 ? 0 : x }, derivative: .ofOutput { y, _ in y > 0 ? 1 : 0 },
            floats: { _ in FloatMap { unsafe rene_relu($0, $1, $2) } },
            floatDerivative: { _ in FloatDerivative { unsafe rene_relu_gradient($0, $1, $2, $3) } }),
        UnaryFunction(
            "LeakyRelu", parameters: UnaryFunction.attributes("alpha", 0.01), { x, p in x < 0 ? p.a * x : x },
            derivative: .ofInput { x, p in x < 0 ? p.a : 1 },
            floats: { p in FloatMap { unsafe rene_leaky_relu($0, $1, Float(p.a), $2) } },
            floatDerivative: { p in FloatDerivative { unsafe rene_leaky_relu_gradient($0, $1, $2, Float(p.a), $3) } }),
        UnaryFunction(
            "ThresholdedRelu", parameters: UnaryFunction.attributes("alpha", 1), { x, p in x > p.a ? x : 0 },
            derivative: .ofInput { x, p in x > p.a ? 1 : 0 }),
        UnaryFunction(
            "HardSigmoid", parameters: UnaryFunction.attributes("alpha", 0.2, "beta", 0.5),
            { x, p in max(0, min(1, p.a * x + p.b)) },
            derivative: .ofInput { x, p in p.a * x + p.b > 0 && p.a * x + p.b < 1 ? p.a : 0 },
            floats: { p in FloatMap { unsafe rene_hard_sigmoid($0, $1, Float(p.a), Float(p.b), $2) } },
            floatDerivative: { p in
                FloatDerivative { unsafe rene_hard_sigmoid_gradient($0, $1, $2, Float(p.a), Float(p.b), $3) }
            }),
        UnaryFunction(
            "HardSwish", { x, _ in x * max(0, min(1, x / 6 + 0.5)) },
            derivative: .ofInput { x, _ in x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5 },
            floats: { _ in FloatMap { unsafe rene_hard_swish($0, $1, $2) } },
            floatDerivative: { _ in FloatDerivative { unsafe rene_hard_swish_gradient($0, $1, $2, $3) } }),
    ]

    static let exponentials: [UnaryFunction] = [
        UnaryFunction(
            "Elu", parameters: UnaryFunction.attributes("alpha", 1), { x, p in x < 0 ? p.a * expm1(x) : x },
            derivative: .ofInput { x, p in x < 0 ? p.a * exp(x) : 1 },
            floats: { p in FloatMap { unsafe rene_elu($0, $1, Float(p.a), $2) } },
            floatDerivative: { p in FloatDerivative { unsafe rene_elu_gradient($0, $1, $2, Float(p.a), $3) } }),
        UnaryFunction(
            "Selu",
            parameters: UnaryFunction.attributes(
                "alpha", 1.67326319217681884765625, "gamma", 1.05070102214813232421875),
            { x, p in p.b * (x < 0 ? p.a * expm1(x) : x) },
            derivative: .ofInput { x, p in p.b * (x < 0 ? p.a * exp(x) : 1) },
            floats: { p in FloatMap { unsafe rene_selu($0, $1, Float(p.a), Float(p.b), $2) } },
            floatDerivative: { p in
                FloatDerivative { unsafe rene_selu_gradient($0, $1, $2, Float(p.a), Float(p.b), $3) }
            }),
        UnaryFunction(
            "Celu", parameters: UnaryFunction.attributes("alpha", 1), { x, p in x < 0 ? p.a * expm1(x / p.a) : x },
            derivative: .ofInput { x, p in x < 0 ? exp(x / p.a) : 1 },
            floats: { p in FloatMap { unsafe rene_celu($0, $1, Float(p.a), $2) } },
            floatDerivative: { p in FloatDerivative { unsafe rene_celu_gradient($0, $1, $2, Float(p.a), $3) } }),
        UnaryFunction(
            "Sigmoid", { x, _ in logistic(x) }, derivative: .ofOutput { y, _ in y * (1 - y) },
            floats: { _ in FloatMap { unsafe rene_sigmoid($0, $1, $2) } },
            floatDerivative: { _ in FloatDerivative { unsafe rene_sigmoid_gradient($0, $1, $2, $3) } }),
        UnaryFunction(
            "Softplus", { x, _ in softplus(x) }, derivative: .ofInput { x, _ in logistic(x) },
            floats: { _ in FloatMap { unsafe rene_softplus($0, $1, $2) } },
            floatDerivative: { _ in FloatDerivative { unsafe rene_softplus_gradient($0, $1, $2, $3) } }),
        UnaryFunction(
            "Softsign", { x, _ in x / (1 + abs(x)) }, derivative: .ofInput { x, _ in 1 / ((1 + abs(x)) * (1 + abs(x))) }
        ),
    ]

    static let gates: [UnaryFunction] = [
        UnaryFunction(
            "Mish", { x, _ in x * tanh(softplus(x)) },
            derivative: .ofInput { x, _ in
                let t = tanh(softplus(x))
                return t + x * (1 - t * t) * logistic(x)
            },
            floats: { _ in FloatMap { unsafe rene_mish($0, $1, $2) } },
            floatDerivative: { _ in FloatDerivative { unsafe rene_mish_gradient($0, $1, $2, $3) } }),
        swish("Swish", attribute: "alpha", otherwise: 1),
        swish("QuickGelu", domain: "com.microsoft", attribute: "alpha", otherwise: 1.702),
    ]

    /// x / (1 + e^(−αx)).
    private static func swish(_ name: String, domain: String = "", attribute: String, otherwise: Double)
        -> UnaryFunction
    {
        UnaryFunction(
            name, domain: domain, parameters: UnaryFunction.attributes(attribute, otherwise),
            { x, p in x * logistic(p.a * x) },
            derivative: .ofInput { x, p in
                let s = logistic(p.a * x)
                return s + p.a * x * s * (1 - s)
            },
            floats: { p in FloatMap { unsafe rene_silu($0, $1, Float(p.a), $2) } },
            floatDerivative: { p in FloatDerivative { unsafe rene_silu_gradient($0, $1, $2, Float(p.a), $3) } })
    }

    /// x < −λ: x + bias; x > λ: x − bias; else 0.
    static let shrink = UnaryFunction(
        "Shrink", takesIntegers: true, parameters: UnaryFunction.attributes("lambd", 0.5, "bias", 0),
        { x, p in x < -p.a ? x + p.b : x > p.a ? x - p.b : 0 },
        derivative: .ofInput { x, p in x < -p.a || x > p.a ? 1 : 0 })

    static func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    static func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
}
