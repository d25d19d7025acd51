@testable import Execution

enum ElementwiseCases {
    private static let (m, n) = (GradientCase.m, GradientCase.n)

    static let all = binary + unary + activations + selections

    private static let binary: [GradientCase] =
        ["Add", "Sub", "Mul", "Div", "Min", "Max"].flatMap { name -> [GradientCase] in
            let divisor: GradientCase.Values = name == "Div" ? .apart(0.5...2) : .apart(-1.9...1.9)
            return [
                GradientCase(name, [.varied([m, n]), .varied([m, n], divisor)], note: "one shape"),
                GradientCase(name, [.varied([2, 1, 3]), .varied([3], divisor)], note: "a row"),
                GradientCase(name, [.varied([m, 1, 3]), .varied([2, 1], divisor)], note: "both repeated"),
                GradientCase(name, [.varied([m, n]), .varied([], divisor)], note: "a scalar"),
            ]
        } + [
            GradientCase(
                "Mul", ["broadcast": 1, "axis": 1], [.varied([2, 3, m]), .varied([3])], version: 6, note: "at an axis"),
            GradientCase("Sum", [.varied([m, n]), .varied([n]), .varied([m, 1])]),
            GradientCase("Mean", [.varied([m, n]), .varied([n]), .varied([m, 1])]),
            GradientCase(
                "Max", [.varied([m, n]), .varied([n], .apart(-1.8...1.8)), .varied([m, 1], .apart(-1.7...1.7))]),
            GradientCase("Pow", [.varied([m, n], .apart(0.5...2)), .varied([n])]),
            GradientCase("Pow", [.varied([m, n]), .floats([2], shape: [])], note: "squares"),
            GradientCase("Pow", [.varied([m, n]), .floats([3], shape: [])], note: "cubes"),
            GradientCase(
                "Mod", ["fmod": 1], [.varied([m], .uniform(0.1...0.9)), .varied([m], .uniform(1.1...1.9))]),
        ]

    private static let unary: [GradientCase] =
        [
            "Abs", "Neg", "Sign", "Ceil", "Floor", "Round", "Exp", "Sin", "Cos", "Atan", "Sinh", "Cosh", "Tanh",
            "Asinh",
            "Erf",
        ].map { GradientCase($0, [.varied([m, n], $0 == "Round" ? .uniform(0.6...1.4) : .apart(-1.96...1.96))]) }
        + ["Sqrt", "Reciprocal", "Log"].map { GradientCase($0, [.varied([m, n], .apart(0.4...2))]) }
        + ["Asin", "Acos", "Atanh", "Tan"].map { GradientCase($0, [.varied([m, n], .apart(-0.7...0.7))]) } + [
            GradientCase("Acosh", [.varied([m, n], .apart(1.5...3))]),
            GradientCase("Cast", ["to": 11], [.varied([m, n])], note: "to double precision"),
            GradientCase("CastLike", [.varied([m, n]), .fixed([1])]),
        ]

    private static let activations: [GradientCase] =
        [
            "Relu", "LeakyRelu", "Elu", "Selu", "Celu", "HardSigmoid", "HardSwish", "Sigmoid", "Softplus", "Softsign",
            "Mish", "Swish", "Gelu", "Shrink",
        ].map { GradientCase($0, [.varied([m, n], .apart(-2.3...2.3))]) } + [
            GradientCase("ThresholdedRelu", [.varied([m, n], .apart(-2...0.9))]),
            GradientCase("ThresholdedRelu", [.varied([m, n], .apart(1.1...3))], note: "beyond the threshold"),
            GradientCase("LeakyRelu", ["alpha": Float(0.3)], [.varied([m, n])]),
            GradientCase("Celu", ["alpha": Float(2)], [.varied([m, n])]),
            GradientCase("Selu", ["alpha": Float(2), "gamma": Float(3)], [.varied([m, n])]),
            GradientCase("Gelu", ["approximate": "tanh"], [.varied([m, n])]),
            GradientCase("ExactGelu", domain: "rene", [.varied([m, n])]),
            GradientCase("TanhGelu", domain: "rene", [.varied([m, n])]),
            GradientCase("Gelu", domain: "com.microsoft", [.varied([m, n])]),
            GradientCase("QuickGelu", domain: "com.microsoft", [.varied([m, n])]),
            GradientCase("BiasGelu", domain: "com.microsoft", [.varied([m, n]), .varied([n])]),
            GradientCase("FastGelu", domain: "com.microsoft", [.varied([m, n]), .varied([n])]),
            GradientCase("FastGelu", domain: "com.microsoft", [.varied([m, n])], note: "no bias"),
        ]

    private static let selections: [GradientCase] = [
        GradientCase(
            "Where", [.bools([true, false, true], shape: [3, 1]), .varied([n]), .varied([3, n])], note: "broadcast"),
        GradientCase("PRelu", [.varied([2, 3, m]), .varied([3, 1])]),
        GradientCase("PRelu", [.varied([2, 3, m]), .varied([3])], version: 6, note: "a slope for each channel"),
        GradientCase("Clip", [.varied([m, n]), .floats([-1.01], shape: []), .floats([0.51], shape: [])]),
        GradientCase("Clip", [.varied([m, n]), nil, .floats([0.51], shape: [])], note: "from above"),
        GradientCase("Clip", ["min": Float(-0.51)], [.varied([m, n])], version: 6, note: "by attributes"),
        GradientCase("ExpandShare", domain: "rene", ["shape": [2, 3], "divisor": 3], [.varied([2, 1])]),
    ]
}
