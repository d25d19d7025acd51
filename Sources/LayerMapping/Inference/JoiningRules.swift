internal import ConverterKit

/// Operators that put tensors together, take them apart, or repeat them.
enum JoiningRules {
    static let table: [String: InferenceRule] = [
        "Concat": { [concatenate($0)] },
        "Split": split,
        "Tile": { [tile($0)] },
        "Expand": { [expand($0)] },
        "Pad": { [pad($0)] },
    ]

    private static func concatenate(_ context: RuleContext) -> ValueFact {
        var result = ValueFact(type: context.inputs.first??.type)
        let shapes = context.inputs.compactMap { $0?.shape }
        guard shapes.count == context.inputs.count, let first = shapes.first,
            shapes.allSatisfy({ $0.count == first.count })
        else { return result }
        let stated = context.int("axis") ?? 1
        let axis = stated < 0 ? stated + first.count : stated
        guard first.indices.contains(axis) else { return result }
        result.shape = first.indices.map { position in
            let extents = shapes.map { $0[position] }
            if position == axis {
                let known = extents.compactMap { $0 }
                return known.count == extents.count ? known.reduce(0, { $0.addingOrSaturating($1) }) : nil
            }
            return extents.first { $0 != nil } ?? nil
        }
        if first.count == 1 {
            // A part without known content still has a known length.
            let parts = context.inputs.map { fact -> [Double?]? in
                if let content = fact?.content { return content }
                guard let length = fact?.shape?.first ?? nil, length <= ValueFact.largestContent else { return nil }
                return [Double?](repeating: nil, count: length)
            }
            let known = parts.compactMap { $0 }
            if known.count == parts.count, known.joined().count <= ValueFact.largestContent {
                result.content = Array(known.joined())
            }
        }
        return result
    }

    private static func split(_ context: RuleContext) -> [ValueFact] {
        let type = context.input(0)?.type
        let count = context.node.outputs.count
        guard let shape = context.shape(0), count > 0 else {
            return [ValueFact](repeating: ValueFact(type: type), count: count)
        }
        let stated = context.int("axis") ?? 0
        let axis = stated < 0 ? stated + shape.count : stated
        guard shape.indices.contains(axis) else { return [ValueFact](repeating: ValueFact(type: type), count: count) }
        var sizes = [Int?](repeating: nil, count: count)
        if case .some(let list) = context.list("split", input: 1) {
            if let list, list.count == count { sizes = list }
        } else if let extent = shape[axis] {
            // Equal parts; where they cannot be, the last is the smaller.
            let part = (extent + count - 1) / count
            sizes = (0..<count).map { max(0, min(part, extent - $0 * part)) }
        }
        return sizes.map { size in
            var part = shape
            part[axis] = size
            return ValueFact(shape: part, type: type)
        }
    }

    private static func tile(_ context: RuleContext) -> ValueFact {
        let type = context.input(0)?.type
        guard let shape = context.shape(0) else { return ValueFact(type: type) }
        guard let repeats = context.input(1)?.content, repeats.count == shape.count else {
            return ValueFact(shape: [Int?](repeating: nil, count: shape.count), type: type)
        }
        return ValueFact(
            shape: zip(shape, repeats).map { extent, times in
                guard let extent, let times else { return nil }
                return ShapeArithmetic.product([extent, Int(clamping: times)])
            }, type: type)
    }

    private static func expand(_ context: RuleContext) -> ValueFact {
        var result = ValueFact(type: context.input(0)?.type)
        guard let shape = context.shape(0) else { return result }
        if let wanted = context.input(1)?.content {
            result.shape = Broadcasting.shape(of: [shape, wanted.map { $0.map { Int(clamping: $0) } }])
        } else if let rank = context.shape(1)?.first ?? nil, rank <= 32 {
            result.shape = Broadcasting.shape(of: [shape, [Int?](repeating: nil, count: rank)])
        }
        if let content = context.input(0)?.content, content.count == 1,
            let count = result.extents.flatMap({ ShapeArithmetic.product($0) }), count <= ValueFact.largestContent
        {
            result.content = [Double?](repeating: content[0], count: count)
        }
        return result
    }

    private static func pad(_ context: RuleContext) -> ValueFact {
        let type = context.input(0)?.type
        guard let shape = context.shape(0) else { return ValueFact(type: type) }
        let unknown = ValueFact(shape: [Int?](repeating: nil, count: shape.count), type: type)
        guard case .some(let list) = context.list(context.ints("paddings") == nil ? "pads" : "paddings", input: 1),
            let pads = list
        else { return unknown }
        var axes = Array(shape.indices)
        if context.isStated(3) {
            guard let stated = context.input(3)?.integers,
                let normalized = ShapeArithmetic.normalized(stated, rank: shape.count)
            else { return unknown }
            axes = normalized
        }
        guard pads.count == 2 * axes.count else { return unknown }
        var result = shape
        for (index, axis) in axes.enumerated() {
            result[axis] = shape[axis].map {
                max(0, $0.addingOrSaturating(pads[index]).addingOrSaturating(pads[index + axes.count]))
            }
        }
        return ValueFact(shape: result, type: type)
    }
}
