internal import ConverterKit

/// Operators that work element by element, and the arithmetic of shapes among them.
enum ElementwiseRules {
    static let table: [String: InferenceRule] = {
        var table: [String: InferenceRule] = [:]
        for operation in unary { table[operation] = { [same($0)] } }
        for operation in microsoftUnary { table["com.microsoft::" + operation] = { [same($0)] } }
        for operation in broadcasting { table[operation] = { [broadcast($0, type: $0.input(0)?.type)] } }
        for operation in comparing {
            table[operation] = { [broadcast($0, type: ElementType.bool.rawValue)] }
        }
        for (operation, function) in arithmetic {
            table[operation] = { [broadcast($0, type: $0.input(0)?.type, function)] }
        }
        for operation in testing {
            table[operation] = { [ValueFact(shape: $0.shape(0), type: ElementType.bool.rawValue)] }
        }
        for (operation, function) in rounding {
            table[operation] = { context in
                var result = same(context)
                result.content = context.input(0)?.content?.map { $0.map(function) }
                return [result]
            }
        }
        table["Identity"] = { [$0.input(0) ?? ValueFact()] }
        table["Dropout"] = { [same($0), ValueFact(shape: $0.shape(0), type: ElementType.bool.rawValue)] }
        table["Cast"] = { [cast($0, to: $0.int("to").flatMap { Int32(exactly: $0) })] }
        table["CastLike"] = { [cast($0, to: $0.input(1)?.type)] }
        table["Where"] = choose
        return table
    }()

    private static let unary = [
        "Relu", "LeakyRelu", "PRelu", "ThresholdedRelu", "Elu", "Selu", "Celu", "Gelu", "Mish", "Swish", "HardSigmoid",
        "HardSwish", "Sigmoid", "Softplus", "Softsign", "Tanh", "Erf", "Exp", "Log", "Sqrt", "Reciprocal", "Sin", "Cos",
        "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Sign", "Clip", "Shrink", "Not",
        "BitwiseNot", "Affine", "ImageScaler", "ParametricSoftplus", "ScaledTanh", "Scale",
    ]
    private static let microsoftUnary = [
        "Gelu", "FastGelu", "BiasGelu", "QuickGelu", "QLinearSigmoid", "QLinearLeakyRelu",
    ]
    private static let broadcasting = [
        "Pow", "And", "Or", "Xor", "Mod", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Sum", "Mean",
    ]
    private static let comparing = ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"]
    private static let testing = ["IsNaN", "IsInf"]
    private static let arithmetic: [(String, @Sendable (Double, Double) -> Double)] = [
        ("Add", { $0 + $1 }), ("Sub", { $0 - $1 }), ("Mul", { $0 * $1 }), ("Div", { $0 / $1 }),
        ("Max", { max($0, $1) }), ("Min", { min($0, $1) }),
    ]
    private static let rounding: [(String, @Sendable (Double) -> Double)] = [
        ("Floor", { $0.rounded(.down) }), ("Ceil", { $0.rounded(.up) }), ("Round", { $0.rounded(.toNearestOrEven) }),
        ("Neg", { -$0 }), ("Abs", { abs($0) }),
    ]

    private static func same(_ context: RuleContext) -> ValueFact {
        ValueFact(shape: context.shape(0), type: context.input(0)?.type)
    }

    private static func broadcast(
        _ context: RuleContext, type: Int32?, _ function: (@Sendable (Double, Double) -> Double)? = nil
    ) -> ValueFact {
        var result = ValueFact(type: type)
        let shapes = context.inputs.compactMap { $0?.shape }
        guard shapes.count == context.inputs.count, !shapes.isEmpty else { return result }
        // Before operator set 7 the second operand was laid along an axis of the first.
        result.shape = context.operatorSet < 7 && context.operatorSet > 0 ? shapes[0] : Broadcasting.shape(of: shapes)
        guard let function, context.inputs.count == 2, let left = context.input(0), let right = context.input(1) else {
            return result
        }
        result.content = elements(left, right, isInteger: left.isInteger, function)
        return result
    }

    /// Vectors of the same length, or one element with any.
    private static func elements(
        _ left: ValueFact, _ right: ValueFact, isInteger: Bool, _ function: (Double, Double) -> Double
    ) -> [Double?]? {
        guard let a = left.content, let b = right.content, a.count == b.count || a.count == 1 || b.count == 1,
            a.count == b.count || min(a.count, b.count) == 1, !a.isEmpty, !b.isEmpty
        else { return nil }
        if a.count == b.count, a.count > 1, left.shape != right.shape { return nil }
        return (0..<max(a.count, b.count)).map { index in
            guard let x = a[a.count == 1 ? 0 : index], let y = b[b.count == 1 ? 0 : index] else { return nil }
            let value = function(x, y)
            return isInteger ? value.rounded(.towardZero) : value
        }
    }

    private static func cast(_ context: RuleContext, to type: Int32?) -> ValueFact {
        let result = ValueFact(shape: context.shape(0), type: type)
        let toInteger = ValueFact(type: type).isInteger
        return ValueFact(
            shape: result.shape, type: type,
            content: context.input(0)?.content?.map { $0.map { toInteger ? $0.rounded(.towardZero) : $0 } })
    }

    private static func choose(_ context: RuleContext) -> [ValueFact] {
        var result = broadcast(context, type: context.input(1)?.type)
        if let condition = context.input(0)?.content, let yes = context.input(1)?.content,
            let no = context.input(2)?.content, condition.count == yes.count || yes.count == 1,
            condition.count == no.count || no.count == 1
        {
            result.content = condition.enumerated().map { index, flag in
                flag.flatMap { $0 != 0 ? yes[yes.count == 1 ? 0 : index] : no[no.count == 1 ? 0 : index] }
            }
        }
        return [result]
    }
}
