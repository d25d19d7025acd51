internal import ConverterKit

/// Operators that keep the elements and change their shape or order.
enum LayoutRules {
    static let table: [String: InferenceRule] = [
        "Reshape": { [reshape($0)] },
        "Flatten": { [flatten($0)] },
        "Transpose": { [transpose($0)] },
        "Squeeze": { [squeeze($0)] },
        "Unsqueeze": { [unsqueeze($0)] },
        "DepthToSpace": { [blocks($0, toSpace: true)] },
        "SpaceToDepth": { [blocks($0, toSpace: false)] },
        "ReverseSequence": { [$0.input(0)?.withoutContent ?? ValueFact()] },
    ]

    private static func reshape(_ context: RuleContext) -> ValueFact {
        let input = context.input(0)
        var result = ValueFact(type: input?.type, content: input?.content)
        let wanted: [Double?]
        if let stated = context.ints("shape") {
            wanted = stated.map { Double($0) }
        } else if let content = context.input(1)?.content {
            wanted = content
        } else {
            // The length of the shape is the rank of the result.
            if let rank = context.shape(1)?.first ?? nil, rank <= 32 {
                result.shape = [Int?](repeating: nil, count: rank)
            }
            return result
        }
        var shape: [Int?] = []
        var open: Int?
        for (axis, extent) in wanted.enumerated() {
            switch extent {
            case nil: shape.append(nil)
            case .some(-1):
                open = axis
                shape.append(nil)
            case .some(0) where context.int("allowzero") != 1:
                shape.append(input?.shape.flatMap { $0.indices.contains(axis) ? $0[axis] : nil })
            case .some(let extent): shape.append(extent >= 0 ? Int(clamping: extent) : nil)
            }
        }
        let gaps = shape.indices.filter { shape[$0] == nil }
        // One gap follows from the number of elements, whether the shape said -1 or could not be computed.
        if let gap = open ?? gaps.first, gaps == [gap],
            let count = input?.extents.flatMap({ ShapeArithmetic.product($0) }),
            let known = ShapeArithmetic.product(shape.compactMap { $0 }), known > 0
        {
            shape[gap] = count / known
        }
        result.shape = shape
        return result
    }

    private static func flatten(_ context: RuleContext) -> ValueFact {
        let type = context.input(0)?.type
        guard let shape = context.shape(0) else { return ValueFact(shape: [nil, nil], type: type) }
        let stated = context.int("axis") ?? 1
        let axis = stated < 0 ? stated + shape.count : stated
        guard axis >= 0, axis <= shape.count else { return ValueFact(type: type) }
        return ValueFact(shape: [product(shape[..<axis]), product(shape[axis...])], type: type)
    }

    private static func product(_ extents: ArraySlice<Int?>) -> Int? {
        let known = extents.compactMap { $0 }
        return known.count == extents.count ? ShapeArithmetic.product(known) : nil
    }

    private static func transpose(_ context: RuleContext) -> ValueFact {
        guard let shape = context.shape(0) else { return ValueFact(type: context.input(0)?.type) }
        let axes = context.ints("perm") ?? Array(shape.indices.reversed())
        guard axes.sorted() == Array(shape.indices) else { return ValueFact(type: context.input(0)?.type) }
        var result = ValueFact(shape: axes.map { shape[$0] }, type: context.input(0)?.type)
        if let content = context.input(0)?.content, let extents = context.input(0)?.extents,
            ShapeArithmetic.product(extents) == content.count
        {
            result.content = content.transposed(shape: extents, axes: axes)
        }
        return result
    }

    private static func squeeze(_ context: RuleContext) -> ValueFact {
        let input = context.input(0)
        var result = ValueFact(type: input?.type, content: input?.content)
        guard let shape = input?.shape else { return result }
        switch context.list("axes", input: 1) {
        case nil: result.shape = shape.filter { $0 != 1 }
        case .some(nil): return result
        case .some(let axes?):
            guard let axes = ShapeArithmetic.normalized(axes, rank: shape.count) else { return result }
            result.shape = shape.enumerated().filter { !axes.contains($0.offset) }.map(\.element)
        }
        return result
    }

    private static func unsqueeze(_ context: RuleContext) -> ValueFact {
        let input = context.input(0)
        var result = ValueFact(type: input?.type, content: input?.content)
        guard let shape = input?.shape, case .some(let list) = context.list("axes", input: 1), let list,
            let axes = ShapeArithmetic.normalized(list, rank: shape.count + list.count), Set(axes).count == axes.count
        else { return result }
        var rest = shape[...]
        result.shape = (0..<shape.count + axes.count).map { axes.contains($0) ? 1 : rest.removeFirst() }
        return result
    }

    private static func blocks(_ context: RuleContext, toSpace: Bool) -> ValueFact {
        let type = context.input(0)?.type
        guard let shape = context.shape(0), shape.count == 4, let block = context.int("blocksize"), block > 0,
            block < 1 << 12
        else { return ValueFact(type: type) }
        return ValueFact(
            shape: shape.enumerated().map { axis, extent in
                switch axis {
                case 0: extent
                case 1: extent.map { toSpace ? $0 / (block * block) : $0 * block * block }
                default: extent.map { toSpace ? $0 * block : $0 / block }
                }
            }, type: type)
    }
}
