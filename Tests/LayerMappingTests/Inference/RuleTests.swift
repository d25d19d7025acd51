import ConverterKit
import Testing

@testable import LayerMapping

@Suite struct RuleTests {
    static let cases: [RuleCase] = windows + matrices + layouts + parts + constants + others

    @Test(arguments: cases)
    func aRuleGivesTheShapesOfTheOperator(rule: RuleCase) {
        let results = rule.run()
        #expect(results.count >= rule.outputs.count, "\(rule)")
        for (result, shape) in zip(results, rule.outputs) { #expect(result.shape == shape, "\(rule)") }
        if let content = rule.content { #expect(results.first?.content == content, "\(rule)") }
    }

    /// Operators that give a result like their first input, whatever else they are given.
    static let alike = [
        "Relu", "LeakyRelu", "PRelu", "ThresholdedRelu", "Elu", "Selu", "Celu", "Gelu", "Mish", "Swish", "HardSigmoid",
        "HardSwish", "Sigmoid", "Softplus", "Softsign", "Tanh", "Erf", "Exp", "Log", "Sqrt", "Reciprocal", "Sin", "Cos",
        "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Sign", "Clip", "Shrink", "Not",
        "BitwiseNot", "Affine", "ImageScaler", "ParametricSoftplus", "ScaledTanh", "Scale", "Floor", "Ceil", "Round",
        "Neg", "Abs", "IsNaN", "IsInf", "Identity", "Dropout", "Cast", "CastLike", "InstanceNormalization",
        "GroupNormalization", "RMSNormalization", "LRN", "LpNormalization", "MeanVarianceNormalization", "Softmax",
        "LogSoftmax", "Hardmax", "SimplifiedLayerNormalization", "CumSum", "Trilu", "RotaryEmbedding",
        "ReverseSequence", "ScatterElements", "Scatter", "ScatterND", "EyeLike", "RandomNormalLike",
        "RandomUniformLike", "Bernoulli", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear",
        "LayerNormalization", "BatchNormalization", "com.microsoft::Gelu", "com.microsoft::FastGelu",
        "com.microsoft::BiasGelu", "com.microsoft::QuickGelu", "com.microsoft::QLinearSigmoid",
        "com.microsoft::QLinearLeakyRelu", "com.microsoft::RotaryEmbedding", "com.microsoft::QuantizeLinear",
        "com.microsoft::DequantizeLinear", "com.microsoft::SkipLayerNormalization",
        "com.microsoft::SkipSimplifiedLayerNormalization", "com.microsoft::MultiHeadAttention",
    ]

    @Test(arguments: alike)
    func theShapeStays(operation: String) {
        let rule = RuleCase(operation, [real(2, 3, nil), real(3)], gives: [2, 3, nil])
        #expect(rule.run().first?.shape == [2, 3, nil])
    }

    static let pairwise = [
        "Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "And", "Or", "Xor", "Mod", "BitShift", "BitwiseAnd",
        "BitwiseOr", "BitwiseXor", "Sum", "Mean", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual",
    ]

    @Test(arguments: pairwise)
    func operandsBroadcast(operation: String) {
        let rule = RuleCase(operation, [real(4, 1, 3), real(5, 1)], gives: [4, 5, 3])
        #expect(rule.run().first?.shape == [4, 5, 3])
        // Before operator set 7 the second operand took the first one's shape.
        let old = RuleCase(operation, [real(4, 5, 3), real(5)], set: 6, gives: [4, 5, 3])
        #expect(old.run().first?.shape == [4, 5, 3])
    }

    static let reductions = [
        "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum",
        "ReduceLogSumExp", "ReduceSumSquare",
    ]

    @Test(arguments: reductions)
    func axesAreReduced(operation: String) {
        let cases = [
            RuleCase(operation, [real(2, 3, 4)], [("axes", .ints([-1]))], gives: [2, 3, 1]),
            RuleCase(operation, [real(2, 3, 4), whole(0, 2)], [("keepdims", .int(0))], set: 18, gives: [3]),
            RuleCase(operation, [real(2, 3, 4)], [("keepdims", .int(0))], gives: []),
            RuleCase(operation, [real(2, 3, 4)], [("noop_with_empty_axes", .int(1))], set: 18, gives: [2, 3, 4]),
        ]
        for rule in cases { #expect(rule.run().first?.shape == rule.outputs[0], "\(rule)") }
    }

    @Test func everyOperatorWithARuleIsTried() {
        let tried = Set(Self.cases.map(\.operation) + Self.alike + Self.pairwise + Self.reductions)
        #expect(InferenceRegistry.operators.subtracting(tried).sorted() == [])
    }

    @Test(arguments: InferenceRegistry.operators.sorted())
    func aRuleStandsAnyInput(operation: String) {
        let facts: [ValueFact?] = [
            nil, ValueFact(), real(), real(nil), real(0), whole(-1, nil, 1 << 31), whole(), real(1 << 31, 1 << 31, 2),
            real(1, 2, 3, 4), ValueFact(type: 7, content: [.infinity, .nan, -1e300]),
        ]
        let huge = [Int64.min, -1, 0, 1, 3, .max]
        let names = [
            "axis", "group", "block_size", "blocksize", "num_heads", "hidden_size", "k", "to", "start", "end",
            "keepdims",
            "output_height", "q_num_heads", "kv_num_heads", "layout", "batch_dims", "ceil_mode",
        ]
        let lists = [
            "axes", "pads", "strides", "dilations", "kernel_shape", "output_shape", "output_padding", "perm", "shape",
            "split", "starts", "ends", "pooled_shape",
        ]
        for seed in 0..<400 {
            var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
            func next(_ bound: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int(state >> 33) % bound
            }
            let inputs = (0..<next(6)).map { _ in facts[next(facts.count)] }
            var attributes = (0..<next(4)).map { _ in (names[next(names.count)], Attribute.Value.int(huge[next(6)])) }
            for _ in 0..<next(4) {
                attributes.append(
                    (lists[next(lists.count)], .ints((0..<next(5)).map { _ in huge[next(6)] })))
            }
            let rule = RuleCase(operation, inputs, attributes, set: next(25), gives: nil, nil, nil)
            for result in rule.run() {
                #expect(result.bounded.shape?.contains { ($0 ?? 0) < 0 } != true, "seed \(seed) \(rule)")
            }
        }
    }
}
