internal import ConverterKit

/// Pools over the spatial axes of `[N, C, spatial…]`.
enum PoolingRules {
    static let table: [String: InferenceRule] = [
        "MaxPool": pool, "AveragePool": pool, "LpPool": pool,
        "GlobalAveragePool": global, "GlobalMaxPool": global, "GlobalLpPool": global,
        "MaxRoiPool": { context in [regions(context, extents: context.ints("pooled_shape"))] },
        "RoiAlign": { context in
            [regions(context, extents: [context.int("output_height") ?? 1, context.int("output_width") ?? 1])]
        },
    ]

    private static func pool(_ context: RuleContext) -> [ValueFact] {
        let type = context.input(0)?.type
        guard let input = context.shape(0), input.count >= 3, let kernel = context.ints("kernel_shape"),
            kernel.count == input.count - 2
        else { return [ValueFact(type: type)] }
        let window = Window(context, kernel: kernel.map { $0 }, isPooling: true)
        let shape = Array(input[..<2]) + window.extents(over: Array(input[2...]))
        return [ValueFact(shape: shape, type: type), ValueFact(shape: shape, type: ElementType.int64.rawValue)]
    }

    private static func global(_ context: RuleContext) -> [ValueFact] {
        guard let input = context.shape(0), input.count >= 2 else { return [ValueFact(type: context.input(0)?.type)] }
        let ones = [Int?](repeating: 1, count: input.count - 2)
        return [ValueFact(shape: Array(input[..<2]) + ones, type: context.input(0)?.type)]
    }

    private static func regions(_ context: RuleContext, extents: [Int]?) -> ValueFact {
        let type = context.input(0)?.type
        guard let input = context.shape(0), input.count == 4, let rois = context.shape(1), let count = rois.first,
            let extents
        else { return ValueFact(type: type) }
        return ValueFact(shape: [count, input[1]] + extents.map { $0 }, type: type)
    }
}
