/// How operands of up to three shapes are walked together with their common shape. Axes along which every operand goes
/// on as before are one; what is left is an innermost run, along which an operand either advances or stays, and outer
/// axes.
///
/// Same shapes and scalars give one run over everything, a row operand (the last axes) or a column operand ([…, C, 1,
/// 1]) one outer axis.
struct BroadcastLoops: Sendable {
    /// The common shape.
    let shape: [Int]
    let count: Int
    /// Elements of an innermost run.
    let inner: Int
    /// By operand: 1 where it advances along the run, 0 where it stays.
    let steps: [Int]
    private var outer: [Axis] = []

    private struct Axis {
        var extent: Int
        var a: Int
        var b: Int
        var c: Int
    }

    /// `length` elements of the result from `start`, and where each operand begins.
    struct Run {
        var start: Int
        var length: Int
        var a: Int
        var b: Int
        var c: Int
    }

    /// Runs shorter than this are not worth another thread.
    static let grain = 16384

    /// Throws `execution.shape` when the shapes do not go together.
    init(_ shapes: [[Int]]) throws {
        let shape = try Self.common(shapes)
        self.shape = shape
        count = try shape.elementCount()
        var extents: [Int] = []
        var strides: [[Int]] = []
        let operandStrides = shapes.map { Self.strides(of: $0, in: shape) }
        for axis in shape.indices where shape[axis] != 1 {
            let step = operandStrides.map { $0[axis] }
            if let last = extents.indices.last,
                zip(strides[last], step).allSatisfy({ $0 == $1 * shape[axis] })
            {
                extents[last] *= shape[axis]
                strides[last] = step
            } else {
                extents.append(shape[axis])
                strides.append(step)
            }
        }
        inner = max(1, extents.popLast() ?? 1)
        steps = strides.popLast() ?? shapes.map { _ in 0 }
        for (extent, stride) in zip(extents, strides) {
            outer.append(
                Axis(
                    extent: extent, a: stride[0], b: stride.count > 1 ? stride[1] : 0,
                    c: stride.count > 2 ? stride[2] : 0))
        }
    }

    /// The shape that all of these are broadcast to.
    static func common(_ shapes: [[Int]]) throws -> [Int] {
        let rank = shapes.map(\.count).max() ?? 0
        var result = [Int](repeating: 1, count: rank)
        for shape in shapes {
            for (axis, extent) in shape.enumerated() where extent != 1 {
                let place = rank - shape.count + axis
                guard result[place] == 1 || result[place] == extent else {
                    throw ExecutionError.shape(
                        "the shapes \(shapes.map { "\($0)" }.joined(separator: ", ")) do not go together")
                }
                result[place] = extent
            }
        }
        return result
    }

    /// Elements from one index of each axis of `shape` to the next in an operand; 0 where it is repeated.
    static func strides(of operand: [Int], in shape: [Int]) -> [Int] {
        let own = operand.rowMajorStrides
        let lead = shape.count - operand.count
        return shape.indices.map { $0 < lead || operand[$0 - lead] == 1 ? 0 : own[$0 - lead] }
    }

    /// Calls `body` for runs that cover the result, on several threads where there is enough to do.
    func run(_ pool: ThreadPool, _ body: (Run) -> Void) {
        pool.split(count, grain: Self.grain) { range in
            var start = range.lowerBound
            var (row, within) = start.quotientAndRemainder(dividingBy: inner)
            while start < range.upperBound {
                let length = min(inner - within, range.upperBound - start)
                var run = Run(start: start, length: length, a: 0, b: 0, c: 0)
                var rest = row
                var position = outer.count - 1
                while position >= 0 {
                    let axis = outer[position]
                    // The outermost takes all that is left, which spares its division.
                    let (above, index) = position == 0 ? (0, rest) : rest.quotientAndRemainder(dividingBy: axis.extent)
                    run.a += index * axis.a
                    run.b += index * axis.b
                    run.c += index * axis.c
                    rest = above
                    position -= 1
                }
                run.a += within * steps[0]
                if steps.count > 1 { run.b += within * steps[1] }
                if steps.count > 2 { run.c += within * steps[2] }
                body(run)
                start += length
                row += 1
                within = 0
            }
        }
    }

    /// The inputs whose memory the result may take: those of its extents, in elements of as many bytes.
    func overwritable(_ facts: [TensorFact], by type: StorageType?) -> [Int] {
        facts.indices.filter { facts[$0].shape == shape && facts[$0].type.storage?.stride == type?.stride }
    }
}
