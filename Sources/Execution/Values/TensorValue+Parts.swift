internal import ConverterKit

/// Joining tensors and taking them apart along an axis; also for tensors of strings.
extension TensorValue {
    /// The elements `range` along an axis. The range lies within the axis.
    func part(axis: Int, _ range: Range<Int>) throws -> TensorValue {
        var extents = shape
        extents[axis] = range.count
        let outer = try Array(shape[..<axis]).elementCount()
        let inner = try Array(shape[(axis + 1)...]).elementCount()
        let (from, run) = (shape[axis] * inner, range.count * inner)
        if type == .string {
            let members = (0..<outer).flatMap { row in
                strings[row * from + range.lowerBound * inner..<row * from + range.upperBound * inner]
            }
            return try TensorValue(strings: Array(members), shape: extents)
        }
        let result = try TensorValue(type: type, shape: extents)
        let stride = type.storage?.stride ?? 0
        for row in 0..<outer {
            let start = (row * from + range.lowerBound * inner) * stride
            unsafe (result.buffer.base + row * run * stride).copyMemory(
                from: buffer.base + start, byteCount: run * stride)
        }
        return result
    }

    /// The element `index` of an axis, without that axis.
    func slice(axis: Int, at index: Int) throws -> TensorValue {
        var extents = shape
        extents.remove(at: axis)
        return try part(axis: axis, index..<index + 1).reshaped(extents)
    }

    /// The parts one after the other along an axis. Throws `execution.shape` or `execution.type` when they do not fit.
    static func concatenated(_ parts: [TensorValue], axis: Int) throws -> TensorValue {
        guard let first = parts.first else { throw ExecutionError.shape("nothing is to be joined") }
        guard first.shape.indices.contains(axis) else { throw ExecutionError.shape("there is no axis \(axis) to join") }
        var extents = first.shape
        extents[axis] = 0
        for part in parts {
            guard part.type == first.type else {
                throw ExecutionError.type("\(part.type) and \(first.type) are to be joined")
            }
            guard part.shape.count == extents.count,
                extents.indices.allSatisfy({ $0 == axis || part.shape[$0] == extents[$0] })
            else { throw ExecutionError.shape("\(part.shape) and \(first.shape) are to be joined along axis \(axis)") }
            extents[axis] += part.shape[axis]
        }
        let count = try extents.elementCount()
        let outer = try Array(extents[..<axis]).elementCount()
        let inner = try Array(extents[(axis + 1)...]).elementCount()
        if first.type == .string {
            var strings: [String] = []
            strings.reserveCapacity(count)
            for row in 0..<outer {
                for part in parts {
                    let run = part.shape[axis] * inner
                    strings += part.strings[row * run..<(row + 1) * run]
                }
            }
            return try TensorValue(strings: strings, shape: extents)
        }
        let result = try TensorValue(type: first.type, shape: extents)
        let stride = first.type.storage?.stride ?? 0
        var position = 0
        for row in 0..<outer {
            for part in parts {
                let run = part.shape[axis] * inner * stride
                unsafe (result.buffer.base + position).copyMemory(
                    from: part.buffer.base + row * run, byteCount: run)
                position += run
            }
        }
        return result
    }

    /// Tensors of the same extents along a new axis.
    static func stacked(_ parts: [TensorValue], axis: Int) throws -> TensorValue {
        try concatenated(
            parts.map { part in
                guard axis <= part.shape.count else { throw ExecutionError.shape("there is no axis \(axis) to stack") }
                var extents = part.shape
                extents.insert(1, at: axis)
                return try part.reshaped(extents)
            }, axis: axis)
    }

    /// The only element of an integer or Boolean tensor.
    func integer() throws -> Int {
        guard count == 1, let value = try integers().first else {
            throw ExecutionError.shape("one number is wanted, and \(shape) is given")
        }
        return value
    }

    static func scalar(_ value: Bool) throws -> TensorValue {
        try TensorValue(elements: [value ? UInt8(1) : 0], shape: [], type: .bool)
    }

    static func scalar(_ value: Int) throws -> TensorValue { try TensorValue([Int64(value)], shape: []) }
}
