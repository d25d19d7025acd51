internal import ConverterKit

/// How an Einsum is computed: the operands one after the other into a running product, each time as a batch of matrix
/// products of `[kept by both][kept][summed]` and `[kept by both][summed][kept]`, where axes that only one of them has and
/// nobody needs are summed first.
struct EinsumSchedule {
    enum Place {
        case input(Int)
        /// From this element of the scratch memory on.
        case scratch(Int)
        case output
    }

    enum Step {
        case gather(Place, StridedGather, into: Place)
        case product(Place, Place, MatrixProduct, [MatrixProduct.Offsets], into: Place)
    }

    private(set) var steps: [Step] = []
    /// Elements.
    private(set) var scratchCount = 0
    private(set) var macs = 0
    private let extents: [Character: Int]

    /// A tensor by labels: elements from one index of each to the next.
    private struct Operand {
        var place: Place
        var labels: [Character]
        var strides: [Character: Int]
    }

    init(_ equation: EinsumEquation, shapes: [[Int]]) throws {
        extents = equation.extents
        var operands: [Operand] = []
        for (index, (labels, shape)) in zip(equation.operands, shapes).enumerated() {
            var strides: [Character: Int] = [:]
            var order: [Character] = []
            for ((label, extent), stride) in zip(zip(labels, shape), shape.rowMajorStrides) {
                if strides[label] == nil { order.append(label) }
                // A label that stands twice walks along the diagonal.
                strides[label, default: 0] += extent == 1 ? 0 : stride
            }
            operands.append(Operand(place: .input(index), labels: order, strides: strides))
        }
        var running = operands.removeFirst()
        while !operands.isEmpty {
            let next = operands.removeFirst()
            let needed = Set(equation.output + operands.flatMap(\.labels))
            running = try multiply(running, next, needed: needed, output: operands.isEmpty ? equation.output : nil)
        }
        if case .output = running.place { return }
        try gather(running, equation.output, into: .output)
    }

    private func count(_ labels: [Character]) throws -> Int {
        try labels.map { extents[$0] ?? 1 }.elementCount()
    }

    private mutating func reserve(_ count: Int) -> Place {
        defer { scratchCount += (count + 15) / 16 * 16 }
        return .scratch(scratchCount)
    }

    /// The operand's elements in the order of `labels`, summed over its others.
    private mutating func gather(_ operand: Operand, _ labels: [Character], into place: Place) throws {
        let summed = operand.labels.filter { !labels.contains($0) }
        _ = try count(summed)
        steps.append(
            .gather(
                operand.place,
                StridedGather(
                    extents: labels.map { extents[$0] ?? 1 }, strides: labels.map { operand.strides[$0] ?? 0 },
                    summedExtents: summed.map { extents[$0] ?? 1 },
                    summedStrides: summed.map { operand.strides[$0] ?? 0 }), into: place))
    }

    /// Whether the operand lies in the order of `labels` without gaps.
    private func isDense(_ operand: Operand, _ labels: [Character]) -> Bool {
        guard Set(operand.labels) == Set(labels) else { return false }
        let shape = labels.map { extents[$0] ?? 1 }
        return zip(labels, zip(shape, shape.rowMajorStrides)).allSatisfy { label, axis in
            axis.0 == 1 || operand.strides[label] == axis.1
        }
    }

    private mutating func packed(_ operand: Operand, _ labels: [Character]) throws -> Place {
        if isDense(operand, labels) { return operand.place }
        let place = reserve(try count(labels))
        try gather(operand, labels, into: place)
        return place
    }

    private mutating func multiply(
        _ a: Operand, _ b: Operand, needed: Set<Character>, output: [Character]?
    ) throws -> Operand {
        let both = Set(a.labels).intersection(b.labels)
        let batch = a.labels.filter { both.contains($0) && needed.contains($0) }
        let summed = a.labels.filter { both.contains($0) && !needed.contains($0) }
        let rows = a.labels.filter { !both.contains($0) && needed.contains($0) }
        let columns = b.labels.filter { !both.contains($0) && needed.contains($0) }
        let transposesA = isDense(a, batch + summed + rows) && !isDense(a, batch + rows + summed)
        let transposesB = isDense(b, batch + columns + summed) && !isDense(b, batch + summed + columns)
        let left = try packed(a, transposesA ? batch + summed + rows : batch + rows + summed)
        let right = try packed(b, transposesB ? batch + columns + summed : batch + summed + columns)
        let (m, n, k) = (try count(rows), try count(columns), try count(summed))
        let product = try MatrixProduct(m: m, n: n, k: k, transposesA: transposesA, transposesB: transposesB)
        let times = try count(batch)
        let labels = batch + rows + columns
        let total = try count(labels)
        let place = labels == output ? Place.output : reserve(total)
        let offsets = (0..<times).map { MatrixProduct.Offsets(a: $0 * m * k, b: $0 * k * n, c: $0 * m * n) }
        steps.append(.product(left, right, product, offsets, into: place))
        macs += product.macs * times
        let strides = labels.map { extents[$0] ?? 1 }.rowMajorStrides
        return Operand(
            place: place, labels: labels, strides: Dictionary(zip(labels, strides), uniquingKeysWith: { $1 }))
    }
}

/// Copies elements of a tensor in another order, summed over some axes.
struct StridedGather {
    let extents: [Int]
    let strides: [Int]
    let summedExtents: [Int]
    let summedStrides: [Int]

    @specialized(where T == Float)
    @specialized(where T == Double)
    @unsafe func run<T: Element>(_ x: UnsafePointer<T>, into y: UnsafeMutablePointer<T>) {
        let count = extents.reduce(1, *)
        let terms = summedExtents.reduce(1, *)
        var index = [Int](repeating: 0, count: extents.count)
        var inner = [Int](repeating: 0, count: summedExtents.count)
        var source = 0
        for place in 0..<count {
            if summedExtents.isEmpty {
                unsafe y[place] = x[source]
            } else {
                var (sum, offset) = (T.zero, source)
                for _ in 0..<terms {
                    sum = unsafe T.adding(sum, x[offset])
                    Self.advance(&inner, summedExtents, summedStrides, &offset)
                }
                unsafe y[place] = sum
            }
            Self.advance(&index, extents, strides, &source)
        }
    }

    @inline(__always)
    private static func advance(_ index: inout [Int], _ extents: [Int], _ strides: [Int], _ offset: inout Int) {
        for axis in extents.indices.reversed() {
            index[axis] += 1
            offset += strides[axis]
            if index[axis] < extents[axis] { return }
            offset -= extents[axis] * strides[axis]
            index[axis] = 0
        }
    }
}
