internal import ConverterKit

/// Operators that take elements or blocks by their indices.
enum GatherOperators {
    static let all = [gather, gatherGradient, gatherElements, gatherND, gatherNDGradient]

    /// `Y[…, i…, …] = X[…, indices[i…], …]` along `axis`.
    static let gather = Operator(
        "Gather",
        gradient: { context in
            let shape = try context.shape(context.input(0))
            return [
                try context.emit(
                    "GatherGradient", domain: "rene", [context.gradient(), context.input(1)],
                    ["axis": context.attributes.int("axis", otherwise: 0), "shape": shape]),
                nil,
            ]
        },
        prepare: { preparation in
            let (fact, indices) = (try preparation.fact(0), try preparation.fact(1))
            guard !fact.shape.isEmpty else { throw ExecutionError.shape("Gather of a scalar") }
            let axis = try preparation.axis(
                preparation.attributes.int("axis", otherwise: 0), rank: fact.shape.count)
            let result = TensorFact(
                type: fact.type, shape: Array(fact.shape[..<axis]) + indices.shape + fact.shape[(axis + 1)...])
            _ = try result.shape.elementCount()
            let blocks = try alongAxis(fact.shape, axis, indices)
            let (extent, size) = (fact.shape[axis], try fact.elementSize())
            return Prepared([result], scratch: indices.count * 8) { arguments in
                let offsets = unsafe arguments.scratch(Int64.self)
                unsafe try Indices.read(
                    arguments, input: 1, type: indices.type, count: indices.count, extent: extent, to: offsets,
                    scale: blocks.block)
                unsafe blocks.gather(
                    arguments.bytes(of: 0), offsets, arguments.outputBytes(), elementSize: size, pool: arguments.pool)
            }
        })

    /// `∂L/∂X` of a Gather: the gradients summed at the indices they belong to. Attributes `axis` and X's `shape`.
    static let gatherGradient = Operator(
        "GatherGradient", domain: "rene",
        gradient: { context in
            [
                try context.emit(
                    "Gather", [context.gradient(), context.input(1)],
                    ["axis": context.attributes.int("axis", otherwise: 0)]), nil,
            ]
        },
        prepare: { preparation in
            let (fact, indices) = (try preparation.fact(0), try preparation.fact(1))
            guard let shape = preparation.attributes.ints("shape"), !shape.isEmpty else {
                throw ExecutionError.attribute("GatherGradient without a shape")
            }
            let axis = try preparation.axis(preparation.attributes.int("axis", otherwise: 0), rank: shape.count)
            guard fact.shape == Array(shape[..<axis]) + indices.shape + shape[(axis + 1)...] else {
                throw ExecutionError.shape("GatherGradient of \(fact.shape) to \(shape)")
            }
            let blocks = try alongAxis(shape, axis, indices)
            let extent = shape[axis]
            return unsafe try summed(
                TensorFact(type: fact.type, shape: shape), blocks, scratch: indices.count
            ) { arguments, offsets in
                unsafe try Indices.read(
                    arguments, input: 1, type: indices.type, count: indices.count, extent: extent, to: offsets,
                    scale: blocks.block)
            }
        })

    private static func alongAxis(_ shape: [Int], _ axis: Int, _ indices: TensorFact) throws -> IndexedBlocks {
        let block = shape[(axis + 1)...].reduce(1, *)
        return IndexedBlocks(
            outer: shape[..<axis].reduce(1, *), stride: shape[axis] * block, count: indices.count, block: block)
    }

    /// Zeros, with input 0 added in blocks at offsets.
    private static func summed(
        _ result: TensorFact, _ blocks: IndexedBlocks, scratch: Int,
        _ offsets: @escaping (KernelArguments, UnsafeMutablePointer<Int64>) throws -> Void
    ) throws -> Prepared {
        func make<T: Element>(_: T.Type) -> Prepared {
            Prepared([result], scratch: scratch * 8) { arguments in
                let places = unsafe arguments.scratch(Int64.self)
                unsafe try offsets(arguments, places)
                let to = unsafe arguments.output(0, T.self)
                unsafe Fill.repeating(T.zero, to, count: result.count, arguments.pool)
                unsafe blocks.scatter(arguments.input(0, T.self), places, to, .add, pool: arguments.pool)
            }
        }
        guard let element = result.type.storage?.element else {
            throw ExecutionError.unsupported("sums of \(result.type)")
        }
        return make(element)
    }

    /// `Y[i, j, k] = X[indices[i, j, k], j, k]`, for axis 0.
    static let gatherElements = Operator(
        "GatherElements",
        gradient: { context in
            let (data, indices) = (try context.input(0), try context.input(1))
            let zeros = try context.zeros(context.shape(data), like: data)
            return [
                try context.emit(
                    "ScatterElements", [zeros, indices, context.gradient()],
                    ["axis": context.attributes.int("axis", otherwise: 0), "reduction": "add"]), nil,
            ]
        },
        prepare: { preparation in
            let (fact, indices) = (try preparation.fact(0), try preparation.fact(1))
            let walk = try ElementWalk(fact.shape, indices.shape, preparation.attributes)
            let result = TensorFact(type: fact.type, shape: indices.shape)
            func make<T: FixedWidthInteger>(_: T.Type) -> Prepared {
                Prepared([result], scratch: indices.count * 8) { arguments in
                    let places = unsafe arguments.scratch(Int64.self)
                    unsafe try Indices.read(
                        arguments, input: 1, type: indices.type, count: indices.count, extent: walk.extent, to: places)
                    let from = unsafe arguments.bytes(of: 0).assumingMemoryBound(to: T.self)
                    let to = unsafe arguments.outputBytes().assumingMemoryBound(to: T.self)
                    arguments.pool.split(walk.rows.count, grain: max(1, StridedCopy.grain / max(1, walk.columns))) {
                        for row in $0 {
                            let base = walk.rows.offset(row)
                            for column in 0..<walk.columns {
                                let position = row * walk.columns + column
                                let index = unsafe Int(places[position])
                                unsafe to[position] = from[base + column * walk.columnStride + index * walk.axisStride]
                            }
                        }
                    }
                }
            }
            switch try fact.elementSize() {
            case 1: return make(UInt8.self)
            case 2: return make(UInt16.self)
            case 4: return make(UInt32.self)
            default: return make(UInt64.self)
            }
        })

    /// `Y[b…, i…] = X[b…, indices[b…, i…, :]…]`, with `batch_dims` axes in common.
    static let gatherND = Operator(
        "GatherND",
        gradient: { context in
            let batch = context.attributes.int("batch_dims", otherwise: 0)
            return [
                try context.emit(
                    "GatherNDGradient", domain: "rene", [context.gradient(), context.input(1)],
                    ["batch_dims": batch, "shape": context.shape(context.input(0))]), nil,
            ]
        },
        prepare: { preparation in
            let (fact, indices) = (try preparation.fact(0), try preparation.fact(1))
            let tuples = try IndexTuples(
                fact.shape, indices, batch: preparation.attributes.int("batch_dims", otherwise: 0))
            let result = TensorFact(type: fact.type, shape: tuples.resultShape)
            _ = try result.shape.elementCount()
            let (blocks, size) = (tuples.blocks, try fact.elementSize())
            return Prepared([result], scratch: tuples.count * 8) { arguments in
                let offsets = unsafe arguments.scratch(Int64.self)
                unsafe try tuples.read(arguments, input: 1, to: offsets)
                unsafe blocks.gather(
                    arguments.bytes(of: 0), offsets, arguments.outputBytes(), elementSize: size, pool: arguments.pool)
            }
        })

    /// `∂L/∂X` of a GatherND. Attributes `batch_dims` and X's `shape`.
    static let gatherNDGradient = Operator(
        "GatherNDGradient", domain: "rene",
        gradient: { context in
            [
                try context.emit(
                    "GatherND", [context.gradient(), context.input(1)],
                    ["batch_dims": context.attributes.int("batch_dims", otherwise: 0)]), nil,
            ]
        },
        prepare: { preparation in
            let (fact, indices) = (try preparation.fact(0), try preparation.fact(1))
            let shape = preparation.attributes.ints("shape") ?? []
            let tuples = try IndexTuples(shape, indices, batch: preparation.attributes.int("batch_dims", otherwise: 0))
            guard fact.shape == tuples.resultShape else {
                throw ExecutionError.shape("GatherNDGradient of \(fact.shape) to \(shape)")
            }
            return unsafe try summed(
                TensorFact(type: fact.type, shape: shape), tuples.blocks, scratch: tuples.count
            ) { arguments, offsets in
                unsafe try tuples.read(arguments, input: 1, to: offsets)
            }
        })
}

/// The walk over the indices of GatherElements and ScatterElements: rows of neighbours, and where each lies in the data.
struct ElementWalk {
    let axis: Int
    /// Indices of the data's axis.
    let extent: Int
    /// All axes of the indices but the last, with the data's strides, zero for `axis`.
    let rows: StridedRows
    let columns: Int
    let columnStride: Int
    let axisStride: Int

    init(_ data: [Int], _ indices: [Int], _ attributes: AttributeList) throws {
        axis = try Axes.normalized(attributes.int("axis", otherwise: 0), rank: data.count)
        let axis = axis
        guard !data.isEmpty, data.count == indices.count,
            data.indices.allSatisfy({ $0 == axis || indices[$0] <= data[$0] })
        else { throw ExecutionError.shape("indices of shape \(indices) for elements of \(data)") }
        var strides = data.rowMajorStrides
        axisStride = strides[axis]
        extent = data[axis]
        strides[axis] = 0
        columns = indices[indices.count - 1]
        columnStride = strides[strides.count - 1]
        rows = StridedRows(extents: indices.dropLast(), strides: strides.dropLast())
    }
}

/// Indices of several axes at once, in the last axis of a tensor.
struct IndexTuples {
    /// Tuples.
    let count: Int
    let blocks: IndexedBlocks
    /// Of what is taken.
    let resultShape: [Int]
    private let type: ElementType
    private let extents: [Int]
    private let strides: [Int]
    private let perBatch: Int
    private let batchStride: Int

    init(_ data: [Int], _ indices: TensorFact, batch: Int) throws {
        guard let length = indices.shape.last, batch >= 0, batch < indices.shape.count, batch <= data.count,
            length <= data.count - batch, data[..<batch] == indices.shape[..<batch]
        else { throw ExecutionError.shape("tuples of shape \(indices.shape) for \(data) with \(batch) batch axes") }
        let outer = indices.shape.dropLast()
        count = outer.reduce(1, *)
        perBatch = outer.dropFirst(batch).reduce(1, *)
        type = indices.type
        extents = Array(data[batch..<(batch + length)])
        let all = data.rowMajorStrides
        strides = Array(all[batch..<(batch + length)])
        batchStride = data[batch...].reduce(1, *)
        let block = data[(batch + length)...].reduce(1, *)
        blocks = IndexedBlocks(count: count, block: block)
        resultShape = Array(outer) + data[(batch + length)...]
    }

    /// Writes the offset of each tuple's block. Throws `execution.shape` for one beyond the data.
    @unsafe func read(_ arguments: KernelArguments, input: Int, to offsets: UnsafeMutablePointer<Int64>) throws {
        for tuple in 0..<count {
            var offset = tuple / max(1, perBatch) * batchStride
            for axis in extents.indices {
                let index = unsafe Indices.value(arguments, input: input, type: type, at: tuple * extents.count + axis)
                let positive = index < 0 ? index &+ extents[axis] : index
                guard positive >= 0, positive < extents[axis] else {
                    throw ExecutionError.shape("the index \(index) lies outside an axis of \(extents[axis])")
                }
                offset += positive * strides[axis]
            }
            unsafe offsets[tuple] = Int64(offset)
        }
    }
}
