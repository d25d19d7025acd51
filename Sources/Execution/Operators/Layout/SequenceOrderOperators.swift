internal import ConverterKit

/// Operators that keep a tensor's extents: triangles of matrices, and sequences backwards.
enum SequenceOrderOperators {
    static let all = [trilu, reverseSequence]

    /// The upper or the lower triangle of each matrix, from diagonal `k`; zeros elsewhere.
    static let trilu = Operator(
        "Trilu",
        gradient: { context in
            let inputs = [try context.gradient()] + context.inputs.dropFirst()
            return [try context.emit("Trilu", inputs, context.attributes)]
        },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            guard fact.shape.count >= 2 else { throw ExecutionError.shape("Trilu of shape \(fact.shape)") }
            let (rows, columns) = (fact.shape[fact.shape.count - 2], fact.shape[fact.shape.count - 1])
            let isUpper = preparation.attributes.flag("upper", otherwise: true)
            let size = try fact.elementSize()
            let hasDiagonal = preparation.isStated(1)
            if hasDiagonal, try preparation.fact(1).count < 1 {
                throw ExecutionError.shape("Trilu without its diagonal")
            }
            let all = columns > 0 ? fact.count / columns : 0
            return Prepared([fact], overwritable: [0]) { arguments in
                let stated = unsafe hasDiagonal ? Int(arguments.input(1, Int64.self)[0]) : 0
                let diagonal = min(max(stated, -rows - 1), columns + 1)
                let (from, to) = unsafe (arguments.bytes(of: 0), arguments.outputBytes())
                arguments.pool.split(all, grain: max(1, StridedCopy.grain / max(1, columns))) { range in
                    for row in range {
                        // Columns from here on belong to the upper triangle, those before to the lower.
                        let bound = min(max(row % rows + diagonal + (isUpper ? 0 : 1), 0), columns)
                        let start = row * columns * size
                        let kept = isUpper ? bound * size..<columns * size : 0..<bound * size
                        let dropped = isUpper ? 0..<bound * size : bound * size..<columns * size
                        unsafe (to + start + kept.lowerBound).copyMemory(
                            from: from + start + kept.lowerBound, byteCount: kept.count)
                        unsafe (to + start + dropped.lowerBound).initializeMemory(
                            as: UInt8.self, repeating: 0, count: dropped.count)
                    }
                }
            }
        })

    /// The first `sequence_lens[b]` steps of each sequence backwards.
    static let reverseSequence = Operator(
        "ReverseSequence",
        gradient: { context in
            [try context.emit("ReverseSequence", [context.gradient(), context.input(1)], context.attributes), nil]
        },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            let batchAxis = preparation.attributes.int("batch_axis", otherwise: 1)
            let timeAxis = preparation.attributes.int("time_axis", otherwise: 0)
            guard fact.shape.count >= 2, Set([batchAxis, timeAxis]) == [0, 1] else {
                throw ExecutionError.attribute("ReverseSequence of \(fact.shape) along \(timeAxis) for \(batchAxis)")
            }
            let (batch, time) = (fact.shape[batchAxis], fact.shape[timeAxis])
            guard try preparation.fact(1).count == batch, try preparation.type(1) == .int64 else {
                throw ExecutionError.shape("ReverseSequence of \(batch) sequences without their lengths")
            }
            let block = try fact.shape.dropFirst(2).reduce(1, *) * fact.elementSize()
            let (batchStride, timeStride) = batchAxis == 0 ? (time, 1) : (1, batch)
            return Prepared([fact]) { arguments in
                let lengths = unsafe arguments.input(1, Int64.self)
                for b in 0..<batch where unsafe lengths[b] < 0 || lengths[b] > time {
                    throw ExecutionError.shape("a sequence is longer than the \(time) steps there are")
                }
                let (from, to) = unsafe (arguments.bytes(of: 0), arguments.outputBytes())
                arguments.pool.split(batch * time, grain: max(1, StridedCopy.grain / max(1, block))) { range in
                    for unit in range {
                        let (b, t) = (unit / time, unit % time)
                        let length = unsafe Int(lengths[b])
                        let source = t < length ? length - 1 - t : t
                        unsafe (to + (b * batchStride + t * timeStride) * block).copyMemory(
                            from: from + (b * batchStride + source * timeStride) * block, byteCount: block)
                    }
                }
            }
        })
}
