internal import ConverterKit

/// Attention and the operators of `com.microsoft` that go with it in transformers.
enum AttentionRules {
    static let table: [String: InferenceRule] = [
        "com.microsoft::Attention": attention,
        "com.microsoft::MultiHeadAttention": { [like($0, 0)] },
        "com.microsoft::EmbedLayerNormalization": embedding,
        "com.microsoft::SkipLayerNormalization": skip,
        "com.microsoft::SkipSimplifiedLayerNormalization": skip,
        "Attention": { [scaledProduct($0)] },
    ]

    private static func like(_ context: RuleContext, _ index: Int) -> ValueFact {
        ValueFact(shape: context.shape(index), type: context.input(index)?.type)
    }

    /// Input `[batch, tokens, width]`, joint weight `[width, 3 · hidden]`; the second output is the past and present.
    private static func attention(_ context: RuleContext) -> [ValueFact] {
        let type = context.input(0)?.type
        guard let input = context.shape(0), input.count == 3 else { return [ValueFact(type: type)] }
        let joint = context.shape(1).flatMap { $0.count == 2 ? $0[1] : nil }
        let hidden = joint.map { $0 / 3 }
        var present: [Int?]?
        if let heads = context.int("num_heads"), heads > 0 {
            let past = context.shape(4).flatMap { $0.count == 5 ? $0[3] : nil } ?? 0
            present = [2, input[0], heads, input[1].map { $0.addingOrSaturating(past) }, hidden.map { $0 / heads }]
        }
        return [ValueFact(shape: [input[0], input[1], hidden], type: type), ValueFact(shape: present, type: type)]
    }

    /// Token ids `[batch, tokens]` and a table `[vocabulary, width]`.
    private static func embedding(_ context: RuleContext) -> [ValueFact] {
        let type = context.input(2)?.type
        guard let ids = context.shape(0), let table = context.shape(2), ids.count == 2, table.count == 2 else {
            return [ValueFact(type: type)]
        }
        return [
            ValueFact(shape: ids + [table[1]], type: type),
            ValueFact(shape: [ids[0]], type: ElementType.int32.rawValue),
            ValueFact(shape: ids + [table[1]], type: type),
        ]
    }

    private static func skip(_ context: RuleContext) -> [ValueFact] {
        let statistics = ValueFact(
            shape: context.shape(0).map { $0.dropLast() + [1] }, type: ElementType.float32.rawValue)
        return [like(context, 0), statistics, statistics, like(context, 0)]
    }

    /// Queries `[batch, heads, tokens, width]` or `[batch, tokens, heads · width]`; as wide as the values.
    private static func scaledProduct(_ context: RuleContext) -> ValueFact {
        let type = context.input(0)?.type
        guard let query = context.shape(0), let value = context.shape(2), query.count == value.count,
            query.count == 3 || query.count == 4
        else { return ValueFact(type: type) }
        if query.count == 4 { return ValueFact(shape: Array(query[..<3]) + [value[3]], type: type) }
        guard let queryHeads = context.int("q_num_heads"), let valueHeads = context.int("kv_num_heads"), valueHeads > 0
        else { return ValueFact(type: type) }
        return ValueFact(shape: [query[0], query[1], value[2].map { $0 / valueHeads * queryHeads }], type: type)
    }
}
