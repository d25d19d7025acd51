internal import ConverterKit

/// Normalisations and the operators of the softmax family: the first output is like the first input.
enum NormalizationRules {
    static let table: [String: InferenceRule] = {
        var table: [String: InferenceRule] = [:]
        for operation in likeInput {
            table[operation] = { [ValueFact(shape: $0.shape(0), type: $0.input(0)?.type)] }
        }
        table["BatchNormalization"] = { context in
            let type = context.input(0)?.type
            let channels = ValueFact(shape: context.shape(0).map { $0.count > 1 ? [$0[1]] : [1] }, type: type)
            return [ValueFact(shape: context.shape(0), type: type)]
                + [ValueFact](repeating: channels, count: max(0, context.node.outputs.count - 1))
        }
        table["LayerNormalization"] = { context in
            guard let shape = context.shape(0) else { return [ValueFact(type: context.input(0)?.type)] }
            let stated = context.int("axis") ?? -1
            let axis = stated < 0 ? stated + shape.count : stated
            let statistics = ValueFact(
                shape: shape.enumerated().map { $0.offset < axis ? $0.element : 1 }, type: ElementType.float32.rawValue)
            return [ValueFact(shape: shape, type: context.input(0)?.type), statistics, statistics]
        }
        return table
    }()

    private static let likeInput = [
        "InstanceNormalization", "GroupNormalization", "RMSNormalization", "LRN", "LpNormalization",
        "MeanVarianceNormalization", "Softmax", "LogSoftmax", "Hardmax", "SimplifiedLayerNormalization", "CumSum",
        "Trilu", "RotaryEmbedding", "com.microsoft::RotaryEmbedding",
    ]
}
