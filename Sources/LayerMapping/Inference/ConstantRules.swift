internal import ConverterKit

/// Operators that make values out of none, or out of shapes.
enum ConstantRules {
    static let table: [String: InferenceRule] = [
        "Constant": { [$0.node.constantTensor.map { ValueFact(of: $0) } ?? ValueFact()] },
        "Shape": { [shape($0)] },
        "Size": { context in
            let count = context.input(0)?.extents.flatMap { ShapeArithmetic.product($0) }
            return [ValueFact(shape: [], type: integer, content: [count.map { Double($0) }])]
        },
        "ConstantOfShape": { [constantOfShape($0)] },
        "Range": { [range($0)] },
        "EyeLike": { [ValueFact(shape: $0.shape(0), type: stated($0) ?? $0.input(0)?.type)] },
        "RandomNormalLike": { [ValueFact(shape: $0.shape(0), type: stated($0) ?? $0.input(0)?.type)] },
        "RandomUniformLike": { [ValueFact(shape: $0.shape(0), type: stated($0) ?? $0.input(0)?.type)] },
        "RandomNormal": { [ValueFact(shape: $0.ints("shape")?.map { $0 }, type: stated($0))] },
        "RandomUniform": { [ValueFact(shape: $0.ints("shape")?.map { $0 }, type: stated($0))] },
        "Bernoulli": { [ValueFact(shape: $0.shape(0), type: stated($0) ?? $0.input(0)?.type)] },
    ]

    private static let integer = ElementType.int64.rawValue

    private static func stated(_ context: RuleContext) -> Int32? { context.int("dtype").flatMap { Int32(exactly: $0) } }

    private static func shape(_ context: RuleContext) -> ValueFact {
        guard let shape = context.shape(0) else { return ValueFact(shape: [nil], type: integer) }
        func position(_ value: Int) -> Int { min(max(value < 0 ? value + shape.count : value, 0), shape.count) }
        let start = position(context.int("start") ?? 0)
        let end = max(start, position(context.int("end") ?? shape.count))
        let part = shape[start..<end]
        return ValueFact(shape: [part.count], type: integer, content: part.map { $0.map { Double($0) } })
    }

    private static func constantOfShape(_ context: RuleContext) -> ValueFact {
        var result = ValueFact(type: ElementType.float32.rawValue)
        var element = 0.0
        if case .tensor(let tensor)? = context.node[attribute: "value"] {
            result.type = tensor.elementTypeNumber
            if let value = ValueFact(of: tensor).content?.first ?? nil { element = value }
        }
        if let content = context.input(0)?.content {
            result.shape = content.map { $0.map { Int(clamping: $0) } }
        } else if let rank = context.shape(0)?.first ?? nil, rank <= 32 {
            result.shape = [Int?](repeating: nil, count: rank)
        }
        if let count = result.extents.flatMap({ ShapeArithmetic.product($0) }), count <= ValueFact.largestContent {
            result.content = [Double?](repeating: element, count: count)
        }
        return result
    }

    private static func range(_ context: RuleContext) -> ValueFact {
        let type = context.input(0)?.type
        let bounds = (0..<3).map { context.input($0)?.content?.first ?? nil }
        guard let start = bounds[0], let limit = bounds[1], let step = bounds[2], step != 0, step.isFinite,
            ((limit - start) / step).isFinite
        else { return ValueFact(shape: [nil], type: type) }
        let count = max(0, Int(clamping: ((limit - start) / step).rounded(.up)))
        var result = ValueFact(shape: [count], type: type)
        if count <= ValueFact.largestContent { result.content = (0..<count).map { start + Double($0) * step } }
        return result
    }
}
