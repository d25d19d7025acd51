internal import ConverterKit

/// Which scale holds for which elements: one for all, one for each index of an axis, or one for each block along it.
struct ScaleLayout: Sendable {
    let outer: Int
    let extent: Int
    let inner: Int
    /// Elements along the axis that have a scale in common, and how many such blocks there are.
    private let block: Int
    private let blocks: Int
    private let isBlocked: Bool

    /// Throws `execution.shape` when the scale is for a tensor of another shape.
    init(_ preparation: Preparation, shape: [Int], scale: [Int]) throws {
        let misfit = ExecutionError.shape("\(preparation.operation) of \(shape) has scales of the shape \(scale)")
        let size = preparation.attributes.int("block_size", otherwise: 0)
        let stated = preparation.attributes.int("axis", otherwise: 1)
        if scale.isEmpty || (scale == [1] && size == 0) {
            (outer, extent, inner, block, blocks, isBlocked) = (1, 1, try shape.elementCount(), 1, 1, false)
            return
        }
        guard !shape.isEmpty else { throw misfit }
        let axis = try Axes.normalized(stated, rank: shape.count)
        outer = try Array(shape[..<axis]).elementCount()
        extent = shape[axis]
        inner = try Array(shape[(axis + 1)...]).elementCount()
        isBlocked = scale.count > 1 || size != 0
        if isBlocked {
            guard size >= 0, scale.count == shape.count, scale[axis] > 0,
                shape.indices.allSatisfy({ $0 == axis || shape[$0] == scale[$0] })
            else { throw misfit }
            blocks = scale[axis]
            block = size > 0 ? size : (extent + blocks - 1) / blocks
            guard extent == 0 || (block > 0 && (extent - 1) / block + 1 == blocks) else { throw misfit }
        } else {
            guard scale[0] == extent else { throw misfit }
            (block, blocks) = (1, extent)
        }
    }

    /// Rows of `inner` elements.
    var rows: Int { outer * extent }
    var count: Int { rows * inner }

    /// The first scale of a row, and whether each of its elements has its own.
    @inline(__always)
    func scale(row: Int) -> (first: Int, isOwn: Bool) {
        let (position, index) = (row / extent, row % extent)
        return isBlocked ? ((position * blocks + index / block) * inner, true) : (index, false)
    }

    /// Calls `body` with runs of elements, and with the first scale of each; over the threads.
    func forEachRun(_ pool: ThreadPool, _ body: (_ elements: Range<Int>, _ scale: Int, _ isOwn: Bool) -> Void) {
        if rows == 1, !isBlocked {
            pool.split(inner, grain: 1 << 14) { body($0, 0, false) }
            return
        }
        pool.split(rows, grain: max(1, (1 << 14) / max(1, inner))) { part in
            for row in part {
                let (first, isOwn) = scale(row: row)
                body(row * inner..<(row + 1) * inner, first, isOwn)
            }
        }
    }
}
