internal import ConverterKit

/// Reductions over axes.
enum ReductionRules {
    static let table: [String: InferenceRule] = {
        var table: [String: InferenceRule] = [:]
        for operation in reductions { table[operation] = { [reduce($0)] } }
        for operation in ["ArgMax", "ArgMin"] {
            table[operation] = { context in
                let axes = [context.int("axis") ?? 0]
                return [
                    ValueFact(
                        shape: reduced(context.shape(0), axes: axes, keeps: context.int("keepdims") != 0),
                        type: ElementType.int64.rawValue)
                ]
            }
        }
        return table
    }()

    private static let reductions = [
        "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum",
        "ReduceLogSumExp", "ReduceSumSquare",
    ]

    private static func reduce(_ context: RuleContext) -> ValueFact {
        let input = context.input(0)
        let keeps = context.int("keepdims") != 0
        var result = ValueFact(type: input?.type)
        switch context.list("axes", input: 1) {
        case .some(nil):
            if keeps { result.shape = input?.shape.map { [Int?](repeating: nil, count: $0.count) } }
        case .some(let axes?) where !axes.isEmpty: result.shape = reduced(input?.shape, axes: axes, keeps: keeps)
        default:
            if context.int("noop_with_empty_axes") == 1 { return input?.withoutContent ?? result }
            result.shape = input?.shape.map { keeps ? [Int?](repeating: 1, count: $0.count) : [] }
        }
        // The number of elements of a shape is often computed as the product of its extents.
        if context.node.operation == "ReduceProd", input?.shape?.count == 1, let content = input?.content {
            let known = content.compactMap { $0 }
            if known.count == content.count { result.content = [known.reduce(1, *)] }
        }
        return result
    }

    private static func reduced(_ shape: [Int?]?, axes: [Int], keeps: Bool) -> [Int?]? {
        guard let shape, let axes = ShapeArithmetic.normalized(axes, rank: shape.count) else { return nil }
        if keeps { return shape.indices.map { axes.contains($0) ? 1 : shape[$0] } }
        return shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
    }
}
