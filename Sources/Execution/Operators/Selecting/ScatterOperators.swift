internal import ConverterKit

/// Operators that put elements or blocks at their indices.
enum ScatterOperators {
    static let all = [scatterElements, scatter, scatterND]

    /// X with `Y[indices[i, j, k], j, k]` joined with `updates[i, j, k]`, for axis 0.
    static let scatterElements = Operator(
        "ScatterElements", gradient: { try elementsGradient($0) }, prepare: { try elements($0) })

    /// ScatterElements under its first name.
    static let scatter = Operator("Scatter", gradient: { try elementsGradient($0) }, prepare: { try elements($0) })

    private static func elements(_ preparation: Preparation) throws -> Prepared {
        let (fact, indices, updates) = (try preparation.fact(0), try preparation.fact(1), try preparation.fact(2))
        let walk = try ElementWalk(fact.shape, indices.shape, preparation.attributes)
        let reduction = try ScatterReduction(preparation.attributes.string("reduction"))
        guard updates.shape == indices.shape, updates.type == fact.type else {
            throw ExecutionError.shape("updates of shape \(updates.shape) at indices of \(indices.shape)")
        }
        // Updates of different first indices do not meet unless that axis is the one that is indexed.
        let parts = walk.axis == 0 || walk.rows.extents.isEmpty ? 1 : walk.rows.extents[0]
        let rowsOfPart = walk.rows.count / max(1, parts)
        func make<T: Element>(_: T.Type) -> Prepared {
            Prepared([fact], scratch: indices.count * 8, overwritable: [0]) { arguments in
                let places = unsafe arguments.scratch(Int64.self)
                unsafe try Indices.read(
                    arguments, input: 1, type: indices.type, count: indices.count, extent: walk.extent, to: places)
                unsafe Fill.copy(
                    arguments.bytes(of: 0), arguments.outputBytes(), byteCount: fact.byteCount, arguments.pool)
                let (from, to) = unsafe (arguments.input(2, T.self), arguments.output(0, T.self))
                let unit = max(1, rowsOfPart * walk.columns)
                arguments.pool.split(parts, grain: max(1, StridedCopy.grain / unit)) { range in
                    for row in range.lowerBound * rowsOfPart..<range.upperBound * rowsOfPart {
                        let base = walk.rows.offset(row)
                        for column in 0..<walk.columns {
                            let position = row * walk.columns + column
                            let index = unsafe Int(places[position])
                            let place = base + column * walk.columnStride + index * walk.axisStride
                            unsafe to[place] = reduction.joined(to[place], from[position])
                        }
                    }
                }
            }
        }
        guard let element = fact.type.storage?.element else {
            throw ExecutionError.unsupported("\(preparation.operation) of \(fact.type)")
        }
        return make(element)
    }

    private static func elementsGradient(_ context: GradientContext) throws -> [ValueID?] {
        let reduction = try ScatterReduction(context.attributes.string("reduction"))
        let (gradient, indices, updates) = (try context.gradient(), try context.input(1), try context.input(2))
        let axis: AttributeList = ["axis": context.attributes.int("axis", otherwise: 0)]
        let ofUpdates = try context.wants(2) ? context.emit("GatherElements", [gradient, indices], axis) : nil
        switch reduction {
        case .add: return [gradient, nil, ofUpdates]
        case .none:
            let ofData =
                try context.wants(0)
                ? context.emit("ScatterElements", [gradient, indices, context.zeros(like: updates)], axis) : nil
            return [ofData, nil, ofUpdates]
        default: throw ExecutionError.noGradient("ScatterElements with \(reduction) has no gradient here")
        }
    }

    /// X with the block at each tuple of indices joined with its update.
    static let scatterND = Operator(
        "ScatterND",
        gradient: { context in
            let reduction = try ScatterReduction(context.attributes.string("reduction"))
            let (gradient, indices, updates) = (try context.gradient(), try context.input(1), try context.input(2))
            let ofUpdates = try context.wants(2) ? context.emit("GatherND", [gradient, indices]) : nil
            switch reduction {
            case .add: return [gradient, nil, ofUpdates]
            case .none:
                let ofData =
                    try context.wants(0)
                    ? context.emit("ScatterND", [gradient, indices, context.zeros(like: updates)]) : nil
                return [ofData, nil, ofUpdates]
            default: throw ExecutionError.noGradient("ScatterND with \(reduction) has no gradient here")
            }
        },
        prepare: { preparation in
            let (fact, updates) = (try preparation.fact(0), try preparation.fact(2))
            let tuples = try IndexTuples(fact.shape, preparation.fact(1), batch: 0)
            let reduction = try ScatterReduction(preparation.attributes.string("reduction"))
            guard updates.shape == tuples.resultShape, updates.type == fact.type else {
                throw ExecutionError.shape("updates of shape \(updates.shape) where \(tuples.resultShape) is wanted")
            }
            func make<T: Element>(_: T.Type) -> Prepared {
                Prepared([fact], scratch: tuples.count * 8, overwritable: [0]) { arguments in
                    let offsets = unsafe arguments.scratch(Int64.self)
                    unsafe try tuples.read(arguments, input: 1, to: offsets)
                    unsafe Fill.copy(
                        arguments.bytes(of: 0), arguments.outputBytes(), byteCount: fact.byteCount, arguments.pool)
                    unsafe tuples.blocks.scatter(
                        arguments.input(2, T.self), offsets, arguments.output(0, T.self), reduction,
                        pool: arguments.pool)
                }
            }
            guard let element = fact.type.storage?.element else {
                throw ExecutionError.unsupported("ScatterND of \(fact.type)")
            }
            return make(element)
        })
}
