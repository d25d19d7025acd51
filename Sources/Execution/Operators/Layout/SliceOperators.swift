internal import ConverterKit

/// Slice, and the placing of its gradient.
enum SliceOperators {
    static let all = [slice, sliceGradient]

    /// `Y[i, …] = X[start + i·step, …]`.
    static let slice = Operator(
        "Slice",
        gradient: { context in
            let region = try SliceRegion(context.preparation())
            return [
                try context.emit(
                    "SliceGradient", domain: "rene", [context.gradient()],
                    ["starts": region.starts, "steps": region.steps, "shape": context.shape(context.input(0))])
            ]
        },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            let region = try SliceRegion(preparation)
            let result = TensorFact(type: fact.type, shape: region.extents)
            if region.extents == fact.shape, region.steps.allSatisfy({ $0 > 0 }) { return .view(result) }
            let copy = region.copy(of: fact.shape, elementSize: try fact.elementSize(), reversed: false)
            return Prepared([result]) { arguments in
                unsafe copy.run(from: arguments.bytes(of: 0), to: arguments.outputBytes(), pool: arguments.pool)
            }
        })

    /// `∂L/∂X` of a Slice: zeros, and `∂L/∂Y` where it was taken from.
    static let sliceGradient = Operator(
        "SliceGradient", domain: "rene",
        gradient: { context in
            let attributes = context.attributes
            let (starts, steps) = (attributes.ints("starts") ?? [], attributes.ints("steps") ?? [])
            let extents = try context.shape(context.input(0))
            let ends = starts.indices.map { axis in
                let end = starts[axis] + extents[axis] * steps[axis]
                return end < 0 ? Int.min : end
            }
            return [
                try context.emit(
                    "Slice",
                    [
                        context.gradient(), context.program.constant(starts), context.program.constant(ends),
                        context.program.constant(Array(starts.indices)), context.program.constant(steps),
                    ])
            ]
        },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            guard let shape = preparation.attributes.ints("shape"),
                let starts = preparation.attributes.ints("starts"), let steps = preparation.attributes.ints("steps"),
                shape.count == fact.shape.count, starts.count == shape.count, steps.count == shape.count
            else { throw ExecutionError.attribute("SliceGradient without its region") }
            let result = TensorFact(type: fact.type, shape: shape)
            let region = SliceRegion(starts: starts, steps: steps, extents: fact.shape)
            guard region.fits(shape) else { throw ExecutionError.attribute("the region is not one of \(shape)") }
            let copy = region.copy(of: shape, elementSize: try fact.elementSize(), reversed: true)
            return Prepared([result]) { arguments in
                let to = unsafe arguments.outputBytes()
                if copy.count < result.count { unsafe Fill.zero(to, byteCount: result.byteCount, arguments.pool) }
                unsafe copy.run(from: arguments.bytes(of: 0), to: to, pool: arguments.pool)
            }
        })
}

/// What a Slice takes of each axis.
struct SliceRegion {
    var starts: [Int]
    var steps: [Int]
    /// Indices that are taken.
    var extents: [Int]

    init(starts: [Int], steps: [Int], extents: [Int]) {
        (self.starts, self.steps, self.extents) = (starts, steps, extents)
    }

    /// Of a Slice of any version; bounds beyond the axis are moved to its ends.
    init(_ preparation: Preparation) throws {
        let shape = try preparation.shape(0)
        let rank = shape.count
        let isOld = preparation.version < 10
        guard let first = try isOld ? preparation.attributes.ints("starts") : preparation.integers(1),
            let last = try isOld ? preparation.attributes.ints("ends") : preparation.integers(2)
        else { throw ExecutionError.missingInput("starts or ends of Slice") }
        let axes =
            try (isOld ? preparation.attributes.ints("axes") : preparation.integers(3)) ?? Array(first.indices)
        let stated = try isOld ? nil : preparation.integers(4)
        guard last.count == first.count, axes.count == first.count, (stated ?? first).count == first.count else {
            throw ExecutionError.shape("Slice with \(first.count) starts, \(last.count) ends and \(axes.count) axes")
        }
        _ = try Axes.normalized(axes, rank: rank)
        starts = [Int](repeating: 0, count: rank)
        steps = [Int](repeating: 1, count: rank)
        extents = shape
        for (position, axis) in axes.enumerated() {
            let axis = try Axes.normalized(axis, rank: rank)
            let extent = shape[axis]
            let bound = max(extent, 1)
            let step = min(max(stated?[position] ?? 1, -bound), bound)
            guard step != 0 else { throw ExecutionError.attribute("Slice with a step of zero") }
            func clamped(_ index: Int, _ low: Int, _ high: Int) -> Int {
                min(max(index < 0 ? index + extent : index, low), high)
            }
            let (low, high) = step > 0 ? (0, extent) : (-1, extent - 1)
            let start = clamped(first[position], max(low, 0), high)
            let end = clamped(last[position], low, high)
            steps[axis] = step
            extents[axis] = step > 0 ? max(0, end - start + step - 1) / step : max(0, start - end - step - 1) / -step
            starts[axis] = extents[axis] == 0 ? 0 : start
        }
    }

    /// Whether each index lies within a tensor of the shape.
    func fits(_ shape: [Int]) -> Bool {
        shape.indices.allSatisfy { axis in
            guard extents[axis] > 0 else { return true }
            let (reach, tooFar) = steps[axis].multipliedReportingOverflow(by: extents[axis] - 1)
            let (last, overflow) = starts[axis].addingReportingOverflow(reach)
            return !tooFar && !overflow && (0..<shape[axis]).contains(starts[axis]) && (0..<shape[axis]).contains(last)
        }
    }

    /// From the region of a row-major tensor to one of the region's own, or back.
    func copy(of shape: [Int], elementSize: Int, reversed: Bool) -> StridedCopy {
        let (outside, inside) = (shape.rowMajorStrides, extents.rowMajorStrides)
        let offset = zip(starts, outside).reduce(0) { $0 + $1.0 * $1.1 }
        let axes = extents.indices.map { axis in
            let stride = outside[axis] * steps[axis]
            return reversed
                ? StridedCopy.Axis(extent: extents[axis], from: inside[axis], to: stride)
                : StridedCopy.Axis(extent: extents[axis], from: stride, to: inside[axis])
        }
        return StridedCopy(
            axes, fromOffset: reversed ? 0 : offset, toOffset: reversed ? offset : 0, elementSize: elementSize)
    }
}

/// Sets memory by all threads.
enum Fill {
    @unsafe static func zero(_ memory: UnsafeMutableRawPointer, byteCount: Int, _ pool: ThreadPool) {
        let bytes = unsafe memory.assumingMemoryBound(to: UInt8.self)
        pool.split(byteCount, grain: 8 * StridedCopy.grain) { range in
            unsafe (bytes + range.lowerBound).update(repeating: 0, count: range.count)
        }
    }

    @unsafe static func repeating<T: Element>(
        _ value: T, _ memory: UnsafeMutablePointer<T>, count: Int, _ pool: ThreadPool
    ) {
        pool.split(count, grain: 2 * StridedCopy.grain) { range in
            unsafe (memory + range.lowerBound).update(repeating: value, count: range.count)
        }
    }

    /// All threads copy.
    @unsafe static func copy(
        _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, byteCount: Int, _ pool: ThreadPool
    ) {
        guard unsafe from != UnsafeRawPointer(to) else { return }
        pool.split(byteCount, grain: 8 * StridedCopy.grain) { range in
            unsafe (to + range.lowerBound).copyMemory(from: from + range.lowerBound, byteCount: range.count)
        }
    }
}
