/// How a tensor is reduced over some axes: neighbouring axes that are all kept or all reduced are one, so that only
/// alternating axes are left, of which the innermost is a run of either kind.
///
/// Trailing axes give one row for each result, leading axes rows that are combined element by element, [0, 2, 3] of
/// NCHW rows of H·W for each of N.
struct ReductionLoops: Sendable {
    /// Extents with the reduced axes as 1.
    let keptShape: [Int]
    /// Extents without the reduced axes.
    let squeezedShape: [Int]
    /// Elements that are reduced to one.
    let reduced: Int
    /// Results.
    let kept: Int
    /// The innermost run, and whether it is reduced.
    let inner: Int
    let isInnerReduced: Bool
    /// Axes outside of the run, outermost first, with their strides in the input.
    let outerReduced: [Axis]
    let outerKept: [Axis]

    struct Axis: Sendable {
        var extent: Int
        var stride: Int
    }

    /// Axes counted from the front, each once.
    init(_ shape: [Int], axes: [Int]) throws {
        let isReduced = shape.indices.map { axes.contains($0) }
        keptShape = shape.indices.map { isReduced[$0] ? 1 : shape[$0] }
        squeezedShape = shape.indices.filter { !isReduced[$0] }.map { shape[$0] }
        reduced = try shape.indices.filter { isReduced[$0] }.map { shape[$0] }.elementCount()
        kept = try squeezedShape.elementCount()
        let strides = shape.rowMajorStrides
        var groups: [(axis: Axis, isReduced: Bool)] = []
        for axis in shape.indices where shape[axis] != 1 {
            if let last = groups.last, last.isReduced == isReduced[axis] {
                let extent = last.axis.extent * shape[axis]
                groups[groups.count - 1] = (Axis(extent: extent, stride: strides[axis]), last.isReduced)
            } else {
                groups.append((Axis(extent: shape[axis], stride: strides[axis]), isReduced[axis]))
            }
        }
        let last = groups.popLast()
        inner = last?.axis.extent ?? 1
        isInnerReduced = last?.isReduced ?? true
        outerReduced = groups.filter { $0.isReduced }.map { $0.axis }
        outerKept = groups.filter { !$0.isReduced }.map { $0.axis }
    }

    /// Runs of the input that go into one result, or into one run of results.
    var rows: Int { outerReduced.reduce(1) { $0 * $1.extent } }
    /// Results, or runs of results.
    var groups: Int { outerKept.reduce(1) { $0 * $1.extent } }

    /// Where the row of a number begins, among those of these axes.
    static func offset(_ number: Int, _ axes: [Axis]) -> Int {
        var (rest, offset) = (number, 0)
        var position = axes.count - 1
        while position >= 0 {
            let axis = axes[position]
            let (above, index) = position == 0 ? (0, rest) : rest.quotientAndRemainder(dividingBy: axis.extent)
            offset += index * axis.stride
            rest = above
            position -= 1
        }
        return offset
    }

    /// Into how many parts the rows (or, of only one row, its elements) of each group are divided, for the threads: of
    /// the extents alone, so that results do not depend on the number of threads.
    var parts: Int {
        let work = reduced * (isInnerReduced ? 1 : inner)
        guard groups < 32, work >= 1 << 16 else { return 1 }
        let most = isInnerReduced && rows == 1 ? inner : rows
        return max(1, min(most, work >> 15, 32 / max(1, groups)))
    }
}
