internal import ConverterKit

/// Operators that take some of the elements.
enum SelectingRules {
    static let table: [String: InferenceRule] = [
        "Slice": { [slice($0)] },
        "Gather": { [gather($0)] },
        "GatherElements": { [ValueFact(shape: $0.shape(1), type: $0.input(0)?.type)] },
        "GatherND": { [gatherND($0)] },
        "ScatterElements": { [$0.input(0)?.withoutContent ?? ValueFact()] },
        "Scatter": { [$0.input(0)?.withoutContent ?? ValueFact()] },
        "ScatterND": { [$0.input(0)?.withoutContent ?? ValueFact()] },
        "TopK": topK,
        "OneHot": { [oneHot($0)] },
        "NonZero": { [ValueFact(shape: [$0.shape(0)?.count, nil], type: ElementType.int64.rawValue)] },
        "NonMaxSuppression": { _ in [ValueFact(shape: [nil, 3], type: ElementType.int64.rawValue)] },
    ]

    private static func slice(_ context: RuleContext) -> ValueFact {
        let input = context.input(0)
        guard let shape = input?.shape else { return ValueFact(type: input?.type) }
        let unknown = ValueFact(shape: [Int?](repeating: nil, count: shape.count), type: input?.type)
        guard case .some(let firsts) = context.list("starts", input: 1), let starts = firsts,
            case .some(let lasts) = context.list("ends", input: 2), let ends = lasts, starts.count == ends.count
        else {
            // The axes that are cut may be known even when the bounds are not.
            guard case .some(let list) = context.list("axes", input: 3), let list,
                let axes = ShapeArithmetic.normalized(list, rank: shape.count)
            else { return unknown }
            return ValueFact(
                shape: shape.indices.map { axes.contains($0) ? nil : shape[$0] }, type: input?.type)
        }
        var axes = Array(starts.indices)
        if case .some(let list) = context.list("axes", input: 3) {
            guard let list, let normalized = ShapeArithmetic.normalized(list, rank: shape.count) else { return unknown }
            axes = normalized
        }
        var steps = [Int](repeating: 1, count: starts.count)
        if context.isStated(4) {
            guard let stated = context.input(4)?.integers else { return unknown }
            steps = stated
        }
        guard axes.count == starts.count, steps.count == starts.count,
            axes.allSatisfy({ shape.indices.contains($0) })
        else { return unknown }
        var result = ValueFact(shape: shape, type: input?.type)
        var taken = shape.map { extent in (first: 0, step: 1, count: extent ?? 0) }
        for (index, axis) in axes.enumerated() {
            guard let extent = shape[axis], steps[index] != 0 else {
                result.shape?[axis] = nil
                continue
            }
            let (first, count) = range(from: starts[index], to: ends[index], step: steps[index], extent: extent)
            result.shape?[axis] = count
            taken[axis] = (first, steps[index], count)
        }
        if let content = input?.content, let extents = input?.extents, ShapeArithmetic.product(extents) == content.count
        {
            var positions = [0]
            for (axis, range) in taken.enumerated() {
                positions = positions.flatMap { base in
                    (0..<range.count).map { base * extents[axis] + range.first + $0 * range.step }
                }
            }
            result.content = positions.map { content[$0] }
        }
        return result
    }

    /// Where a slice of an axis starts and how many elements it takes, by the operator's rules of clamping.
    private static func range(from start: Int, to end: Int, step: Int, extent: Int) -> (first: Int, count: Int) {
        func bounded(_ value: Int, _ low: Int, _ high: Int) -> Int {
            min(max(value < 0 ? value + extent : value, low), high)
        }
        if step > 0 {
            let first = bounded(start, 0, extent)
            return (first, max(0, (bounded(end, 0, extent) - first + step - 1) / step))
        }
        let first = bounded(start, 0, extent - 1)
        // An end before the first element is written as a number below -extent.
        let last = end < -extent ? -1 : bounded(end, -1, extent - 1)
        return (first, max(0, (first - last - step - 1) / -step))
    }

    private static func gather(_ context: RuleContext) -> ValueFact {
        let input = context.input(0)
        guard let shape = input?.shape, let indices = context.shape(1) else { return ValueFact(type: input?.type) }
        let stated = context.int("axis") ?? 0
        let axis = stated < 0 ? stated + shape.count : stated
        guard shape.indices.contains(axis) else { return ValueFact(type: input?.type) }
        var result = ValueFact(
            shape: Array(shape[..<axis]) + indices + Array(shape[(axis + 1)...]), type: input?.type)
        if shape.count == 1, let content = input?.content, let taken = context.input(1)?.integers {
            result.content = taken.map { index in
                let position = index < 0 ? index + content.count : index
                return content.indices.contains(position) ? content[position] : nil
            }
        }
        return result
    }

    private static func gatherND(_ context: RuleContext) -> ValueFact {
        let type = context.input(0)?.type
        let batch = context.int("batch_dims") ?? 0
        guard let shape = context.shape(0), let indices = context.shape(1), let depth = indices.last ?? nil,
            batch >= 0, batch + depth <= shape.count
        else { return ValueFact(type: type) }
        return ValueFact(shape: Array(indices.dropLast()) + Array(shape[(batch + depth)...]), type: type)
    }

    private static func topK(_ context: RuleContext) -> [ValueFact] {
        let type = context.input(0)?.type
        guard var shape = context.shape(0) else { return [ValueFact(type: type)] }
        let stated = context.int("axis") ?? -1
        let axis = stated < 0 ? stated + shape.count : stated
        guard shape.indices.contains(axis) else { return [ValueFact(type: type)] }
        shape[axis] = context.int("k") ?? context.input(1)?.integers?.first
        return [ValueFact(shape: shape, type: type), ValueFact(shape: shape, type: ElementType.int64.rawValue)]
    }

    private static func oneHot(_ context: RuleContext) -> ValueFact {
        let type = context.input(2)?.type
        guard var shape = context.shape(0) else { return ValueFact(type: type) }
        let stated = context.int("axis") ?? -1
        let axis = stated < 0 ? stated + shape.count + 1 : stated
        guard axis >= 0, axis <= shape.count else { return ValueFact(type: type) }
        shape.insert(context.input(1)?.integers?.first, at: axis)
        return ValueFact(shape: shape, type: type)
    }
}
