internal import ConverterKit

/// Operators that change the resolution.
enum ResizeRules {
    static let table: [String: InferenceRule] = [
        "Resize": { [resize($0)] },
        "Upsample": { context in
            let stated = context.node[attribute: "scales"]?.floats?.map { Double($0) }
            return [scaled(context, by: stated ?? known(context.input(1)))]
        },
        "GridSample": { context in
            let type = context.input(0)?.type
            guard let input = context.shape(0), let grid = context.shape(1), input.count >= 3, grid.count == input.count
            else { return [ValueFact(type: type)] }
            return [ValueFact(shape: Array(input[..<2]) + Array(grid[1..<grid.count - 1]), type: type)]
        },
    ]

    private static func known(_ fact: ValueFact?) -> [Double]? {
        guard let content = fact?.content, !content.isEmpty else { return nil }
        let known = content.compactMap { $0 }
        return known.count == content.count ? known : nil
    }

    /// Operator set 10 has the scales as the second input; from 11 on they are the third, and sizes the fourth.
    private static func resize(_ context: RuleContext) -> ValueFact {
        let type = context.input(0)?.type
        guard let shape = context.shape(0) else { return ValueFact(type: type) }
        if context.inputs.count <= 2 { return scaled(context, by: known(context.input(1))) }
        let axes =
            context.ints("axes").flatMap { ShapeArithmetic.normalized($0, rank: shape.count) } ?? Array(shape.indices)
        var result = shape
        if let sizes = context.input(3)?.content, sizes.count == axes.count {
            for (axis, size) in zip(axes, sizes) { result[axis] = size.map { Int(clamping: $0) } }
            return ValueFact(shape: result, type: type)
        }
        return scaled(context, by: known(context.input(2)), axes: axes)
    }

    private static func scaled(_ context: RuleContext, by scales: [Double]?, axes: [Int]? = nil) -> ValueFact {
        let type = context.input(0)?.type
        guard let shape = context.shape(0) else { return ValueFact(type: type) }
        let axes = axes ?? Array(shape.indices)
        guard let scales, scales.count == axes.count else {
            return ValueFact(shape: [Int?](repeating: nil, count: shape.count), type: type)
        }
        var result = shape
        for (axis, scale) in zip(axes, scales) {
            result[axis] = shape[axis].map { max(0, Int(clamping: (Double($0) * scale).rounded(.down))) }
        }
        return ValueFact(shape: result, type: type)
    }
}
