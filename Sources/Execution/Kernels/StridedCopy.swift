internal import ConverterKit

/// Copies an n-d block between two strided layouts of elements of 1, 2, 4 or 8 bytes:
/// `to[Σ iₐ·toₐ] = from[Σ iₐ·fromₐ]`. Axes are collapsed when it is made; inner runs are moved as bytes, crossed axes in
/// square blocks.
struct StridedCopy: Sendable {
    /// Strides in elements; those of the source may be zero, and both may be negative.
    struct Axis: Sendable {
        var extent: Int
        var from: Int
        var to: Int
    }

    private enum Inner {
        /// Both layouts have the columns one after the other.
        case run
        /// Rows are neighbours in the source, columns in the destination.
        case crossed
        case strided
    }

    let elementSize: Int
    /// Elements that are moved.
    let count: Int
    private let fromOffset: Int
    private let toOffset: Int
    private let outer: [Axis]
    private let rows: Axis
    private let columns: Axis
    private let inner: Inner

    /// Elements for which a thread is worth its while.
    static let grain = 1 << 14

    init(_ axes: [Axis], fromOffset: Int = 0, toOffset: Int = 0, elementSize: Int) {
        (self.elementSize, self.fromOffset, self.toOffset) = (elementSize, fromOffset, toOffset)
        count = axes.reduce(1) { $0 * $1.extent }
        var left = Self.collapsed(axes)
        let unit = Axis(extent: 1, from: 0, to: 0)
        columns = left.popLast() ?? Axis(extent: 1, from: 1, to: 1)
        if columns.from == 1, columns.to == 1 {
            inner = .run
            rows = left.popLast() ?? unit
        } else if columns.to == 1, let crossing = left.lastIndex(where: { $0.from == 1 }) {
            inner = .crossed
            rows = left.remove(at: crossing)
        } else {
            inner = .strided
            rows = left.popLast() ?? unit
        }
        outer = left
    }

    /// Of a row-major tensor of `extents`, the axes in another order.
    init(permuting extents: [Int], by permutation: [Int], elementSize: Int) {
        let from = extents.rowMajorStrides
        let to = permutation.map { extents[$0] }.rowMajorStrides
        self.init(
            permutation.indices.map { Axis(extent: extents[permutation[$0]], from: from[permutation[$0]], to: to[$0]) },
            elementSize: elementSize)
    }

    /// Without axes of one index, in the order of the destination, neighbours joined where both layouts allow it.
    private static func collapsed(_ axes: [Axis]) -> [Axis] {
        let ordered = axes.filter { $0.extent != 1 }.enumerated().sorted {
            (abs($1.element.to), $0.offset) < (abs($0.element.to), $1.offset)
        }.map(\.element)
        var result: [Axis] = []
        for axis in ordered {
            if let last = result.last, last.to == axis.to * axis.extent, last.from == axis.from * axis.extent {
                result[result.count - 1] = Axis(extent: last.extent * axis.extent, from: axis.from, to: axis.to)
            } else {
                result.append(axis)
            }
        }
        return result
    }

    /// The source and the destination do not overlap.
    @unsafe func run(from: UnsafeRawPointer, to: UnsafeMutableRawPointer, pool: ThreadPool) {
        switch elementSize {
        case 1: unsafe run(UInt8.self, from, to, pool)
        case 2: unsafe run(UInt16.self, from, to, pool)
        case 4: unsafe run(UInt32.self, from, to, pool)
        default: unsafe run(UInt64.self, from, to, pool)
        }
    }

    @unsafe private func run<T: FixedWidthInteger>(
        _: T.Type, _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ pool: ThreadPool
    ) {
        guard count > 0 else { return }
        let source = unsafe from.assumingMemoryBound(to: T.self) + fromOffset
        let target = unsafe to.assumingMemoryBound(to: T.self) + toOffset
        if case .run = inner, rows.extent == 1, outer.isEmpty {
            return pool.split(count, grain: 4 * Self.grain) { range in
                unsafe (target + range.lowerBound).update(from: source + range.lowerBound, count: range.count)
            }
        }
        let rowsAtOnce = max(16, Self.grain / columns.extent)
        let blocks = (rows.extent + rowsAtOnce - 1) / rowsAtOnce
        let planes = outer.reduce(1) { $0 * $1.extent }
        let unit = max(1, columns.extent * min(rowsAtOnce, rows.extent))
        pool.split(planes * blocks, grain: max(1, Self.grain / unit)) { units in
            for index in units {
                var (plane, source, target) = unsafe (index / blocks, source, target)
                for axis in outer.reversed() {
                    let (quotient, position) = plane.quotientAndRemainder(dividingBy: axis.extent)
                    unsafe source += position * axis.from
                    unsafe target += position * axis.to
                    plane = quotient
                }
                let first = index % blocks * rowsAtOnce
                let last = min(first + rowsAtOnce, rows.extent)
                switch inner {
                case .run: unsafe copyRuns(source, target, first..<last)
                case .crossed: unsafe cross(source, target, first..<last)
                case .strided: unsafe copyStrided(source, target, first..<last)
                }
            }
        }
    }

    @unsafe private func copyRuns<T>(_ from: UnsafePointer<T>, _ to: UnsafeMutablePointer<T>, _ range: Range<Int>) {
        if columns.extent <= 8 { return unsafe copyStrided(from, to, range) }
        for row in range {
            unsafe (to + row * rows.to).update(from: from + row * rows.from, count: columns.extent)
        }
    }

    /// A block of 16 rows and 32 columns reads whole cache lines and writes whole cache lines.
    @unsafe private func cross<T>(_ from: UnsafePointer<T>, _ to: UnsafeMutablePointer<T>, _ range: Range<Int>) {
        var column = 0
        while column < columns.extent {
            let columnEnd = min(column + 32, columns.extent)
            var row = range.lowerBound
            while row < range.upperBound {
                let rowEnd = min(row + 16, range.upperBound)
                var each = row
                while each < rowEnd {
                    let target = unsafe to + each * rows.to
                    let source = unsafe from + each
                    var position = column
                    while position < columnEnd {
                        unsafe target[position] = source[position &* columns.from]
                        position &+= 1
                    }
                    each += 1
                }
                row = rowEnd
            }
            column = columnEnd
        }
    }

    @unsafe private func copyStrided<T>(_ from: UnsafePointer<T>, _ to: UnsafeMutablePointer<T>, _ range: Range<Int>) {
        for row in range {
            let source = unsafe from + row * rows.from
            let target = unsafe to + row * rows.to
            if columns.to == 1, columns.from == 0 {
                unsafe target.update(repeating: source[0], count: columns.extent)
                continue
            }
            var position = 0
            while position < columns.extent {
                unsafe target[position &* columns.to] = source[position &* columns.from]
                position &+= 1
            }
        }
    }
}

extension TensorFact {
    /// Bytes of one element. Throws `execution.unsupported` for strings, which lie in no buffer.
    func elementSize() throws -> Int {
        guard let size = type.storage?.stride, size > 0 else {
            throw ExecutionError.unsupported("tensors of \(type) are not moved")
        }
        return size
    }
}

extension KernelArguments {
    /// An input, whatever its elements are.
    @unsafe func bytes(of input: Int) -> UnsafeRawPointer { unsafe UnsafeRawPointer(self.input(input, UInt8.self)) }

    /// An output, whatever its elements are.
    @unsafe func outputBytes(_ index: Int = 0) -> UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(output(index, UInt8.self))
    }
}
