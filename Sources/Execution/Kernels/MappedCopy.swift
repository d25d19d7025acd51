/// Copies by one table of indices for each axis: `to[i, j, …] = from[map₀[i], map₁[j], …]`; both row-major.
struct MappedCopy: Sendable {
    let elementSize: Int
    private let rows: StridedRows
    /// By outer axis, the source's offset of each index.
    private let offsets: [[Int]]
    private let columns: [Int]

    /// Each index of `maps` is one of the source's.
    init(extents: [Int], maps: [[Int]], elementSize: Int) {
        let strides = extents.rowMajorStrides
        self.elementSize = elementSize
        offsets = maps.dropLast().enumerated().map { axis, map in map.map { $0 * strides[axis] } }
        columns = maps.last ?? [0]
        rows = StridedRows(extents: offsets.map(\.count), strides: [Int](repeating: 0, count: offsets.count))
    }

    @unsafe func run(from: UnsafeRawPointer, to: UnsafeMutableRawPointer, pool: ThreadPool) {
        switch elementSize {
        case 1: unsafe run(UInt8.self, from, to, pool)
        case 2: unsafe run(UInt16.self, from, to, pool)
        case 4: unsafe run(UInt32.self, from, to, pool)
        default: unsafe run(UInt64.self, from, to, pool)
        }
    }

    @unsafe private func run<T>(
        _: T.Type, _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ pool: ThreadPool
    ) {
        guard !columns.isEmpty else { return }
        let source = unsafe from.assumingMemoryBound(to: T.self)
        let target = unsafe to.assumingMemoryBound(to: T.self)
        pool.split(rows.count, grain: max(1, StridedCopy.grain / columns.count)) { range in
            unsafe columns.withUnsafeBufferPointer { columns in
                for row in range {
                    var (left, offset) = (row, 0)
                    for axis in offsets.indices.reversed() {
                        let (quotient, position) = left.quotientAndRemainder(dividingBy: offsets[axis].count)
                        offset += offsets[axis][position]
                        left = quotient
                    }
                    let from = unsafe source + offset
                    let to = unsafe target + row * columns.count
                    for column in columns.indices { unsafe to[column] = from[columns[column]] }
                }
            }
        }
    }
}

/// The rows of a strided layout, by their number: all axes but the last.
struct StridedRows: Sendable {
    let extents: [Int]
    let strides: [Int]
    /// Rows; 1 when there are no axes.
    let count: Int

    init(extents: [Int], strides: [Int]) {
        (self.extents, self.strides, count) = (extents, strides, extents.reduce(1, *))
    }

    /// The offset of a row's first element.
    func offset(_ row: Int) -> Int {
        var (left, offset) = (row, 0)
        for axis in extents.indices.reversed() {
            let (quotient, position) = left.quotientAndRemainder(dividingBy: extents[axis])
            offset += position * strides[axis]
            left = quotient
        }
        return offset
    }
}
