internal import ConverterKit

/// Concat and Split: tensors put together along an axis, and taken apart.
enum JoiningOperators {
    static let all = [concat, split]

    /// The inputs one after the other along `axis`.
    static let concat = Operator(
        "Concat",
        gradient: { context in
            let shapes = try context.inputs.indices.map { try context.shape(context.input($0)) }
            let axis = try axisOfConcat(context.attributes, context.version, rank: shapes.first?.count ?? 0)
            if shapes.count == 1 { return [try context.gradient()] }
            let parts = try context.program.emit(
                "Split", [context.gradient(), context.program.constant(shapes.map { $0[axis] })], ["axis": axis],
                outputs: shapes.count)
            return parts.enumerated().map { context.wants($0.offset) ? $0.element : nil }
        },
        prepare: { preparation in
            let first = try preparation.fact(0)
            let facts = try preparation.inputs.indices.map { try preparation.fact($0) }
            let rank = first.shape.count
            let axis = try axisOfConcat(preparation.attributes, preparation.version, rank: rank)
            guard rank > 0,
                facts.allSatisfy({ fact in
                    fact.type == first.type && fact.shape.count == rank
                        && fact.shape.indices.allSatisfy { $0 == axis || fact.shape[$0] == first.shape[$0] }
                })
            else { throw ExecutionError.shape("Concat of \(facts.map(\.shape)) along axis \(axis)") }
            var shape = first.shape
            shape[axis] = try facts.reduce(0) { sum, fact in
                let (next, overflow) = sum.addingReportingOverflow(fact.shape[axis])
                guard !overflow else { throw ExecutionError.shape("Concat of \(facts.map(\.shape))") }
                return next
            }
            _ = try shape.elementCount()
            let result = TensorFact(type: first.type, shape: shape)
            if facts.count == 1 { return .view(result) }
            let size = try first.elementSize()
            var offset = 0
            let copies = facts.map { fact in
                let copy = part(of: shape, axis: axis, offset: offset, extent: fact.shape[axis], size, joining: true)
                offset += fact.shape[axis]
                return copy
            }
            return Prepared([result]) { arguments in
                for (index, copy) in copies.enumerated() where copy.count > 0 {
                    unsafe copy.run(from: arguments.bytes(of: index), to: arguments.outputBytes(), pool: arguments.pool)
                }
            }
        })

    private static func axisOfConcat(_ attributes: AttributeList, _ version: Int, rank: Int) throws -> Int {
        guard let axis = attributes.int("axis") ?? (version < 4 ? 1 : nil) else {
            throw ExecutionError.attribute("Concat without an axis")
        }
        return try Axes.normalized(axis, rank: rank)
    }

    /// Parts along `axis`: of the extents that are stated, or even ones.
    static let split = Operator(
        "Split",
        gradient: { context in
            let axis = try Axes.normalized(
                context.attributes.int("axis", otherwise: 0), rank: context.shape(context.input(0)).count)
            let parts = try context.outputs.indices.map { index -> ValueID in
                if let gradient = context.gradients[index] { return gradient }
                let fact = try context.program.fact(context.output(index))
                return try context.expand(context.program.scalar(0, type: fact.type), fact.shape)
            }
            return [try context.emit("Concat", parts, ["axis": axis])]
        },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            let axis = try preparation.axis(
                preparation.attributes.int("axis", otherwise: 0), rank: fact.shape.count)
            guard !fact.shape.isEmpty else { throw ExecutionError.shape("Split of a scalar") }
            let sizes = try partsOfSplit(preparation, extent: fact.shape[axis])
            let size = try fact.elementSize()
            var offset = 0
            var results: [TensorFact] = []
            var copies: [StridedCopy] = []
            for extent in sizes {
                var shape = fact.shape
                shape[axis] = extent
                results.append(TensorFact(type: fact.type, shape: shape))
                copies.append(part(of: fact.shape, axis: axis, offset: offset, extent: extent, size, joining: false))
                offset += extent
            }
            return Prepared(results) { arguments in
                for (index, copy) in copies.enumerated() where copy.count > 0 {
                    unsafe copy.run(
                        from: arguments.bytes(of: 0), to: arguments.outputBytes(index), pool: arguments.pool)
                }
            }
        })

    private static func partsOfSplit(_ preparation: Preparation, extent: Int) throws -> [Int] {
        if let stated = try preparation.integers("split", orInput: 1) {
            var left = extent
            for part in stated {
                guard part >= 0, part <= left else { throw ExecutionError.shape("\(extent) is split into \(stated)") }
                left -= part
            }
            guard left == 0, stated.count >= preparation.wanted.count else {
                throw ExecutionError.shape("\(extent) is split into \(stated)")
            }
            return stated
        }
        let count = preparation.attributes.int("num_outputs") ?? preparation.wanted.count
        guard count > 0, count == preparation.wanted.count else {
            throw ExecutionError.attribute("Split into \(count) with \(preparation.wanted.count) outputs")
        }
        let part = (extent + count - 1) / count
        let last = extent - part * (count - 1)
        guard last >= 0, last == part || preparation.version >= 18 else {
            throw ExecutionError.shape("\(extent) is not split evenly into \(count)")
        }
        return [Int](repeating: part, count: count - 1) + [last]
    }

    /// A part of a tensor of `shape` along an axis: from a tensor of its own, or to one.
    private static func part(of shape: [Int], axis: Int, offset: Int, extent: Int, _ size: Int, joining: Bool)
        -> StridedCopy
    {
        var own = shape
        own[axis] = extent
        let (whole, strides) = (shape.rowMajorStrides, own.rowMajorStrides)
        let place = offset * whole[axis]
        return StridedCopy(
            own.indices.map {
                joining
                    ? StridedCopy.Axis(extent: own[$0], from: strides[$0], to: whole[$0])
                    : StridedCopy.Axis(extent: own[$0], from: whole[$0], to: strides[$0])
            }, fromOffset: joining ? 0 : place, toOffset: joining ? place : 0, elementSize: size)
    }
}
