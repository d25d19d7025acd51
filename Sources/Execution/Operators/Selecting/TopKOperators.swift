internal import ConverterKit

/// The largest or smallest elements along an axis.
enum TopKOperators {
    static let all = [topK]

    /// Values and indices of the `k` best along `axis`, best first; of equal ones the lower index comes first.
    static let topK = Operator(
        "TopK",
        gradient: { context in
            guard let gradient = context.gradients[0] else { return [nil] }
            let data = try context.input(0)
            let zeros = try context.zeros(context.shape(data), like: data)
            return [
                try context.emit(
                    "ScatterElements", [zeros, context.output(1), gradient],
                    ["axis": context.attributes.int("axis", otherwise: -1)])
            ]
        },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            let rank = fact.shape.count
            guard rank > 0 else { throw ExecutionError.shape("TopK of a scalar") }
            let axis = try preparation.axis(preparation.attributes.int("axis", otherwise: -1), rank: rank)
            let stated = try preparation.version < 10 ? preparation.attributes.int("k") : preparation.integers(1)?.first
            guard let k = stated else { throw ExecutionError.missingInput("k of TopK") }
            guard k >= 0, k <= fact.shape[axis] else {
                throw ExecutionError.shape("TopK of \(k) among \(fact.shape[axis])")
            }
            var shape = fact.shape
            shape[axis] = k
            let lanes = Lanes(
                extent: fact.shape[axis], k: k, stride: fact.shape[(axis + 1)...].reduce(1, *),
                isLargest: preparation.version < 11 || preparation.attributes.flag("largest", otherwise: true))
            let count = fact.shape[..<axis].reduce(1, *) * lanes.stride
            let results = [TensorFact(type: fact.type, shape: shape), TensorFact(type: .int64, shape: shape)]
            func make<T: Element>(_: T.Type) -> Prepared {
                Prepared(results) { arguments in
                    guard k > 0 else { return }
                    let from = unsafe arguments.input(0, T.self)
                    let (values, indices) = unsafe (arguments.output(0, T.self), arguments.output(1, Int64.self))
                    arguments.pool.split(count, grain: max(1, StridedCopy.grain / lanes.extent)) { range in
                        for lane in range {
                            let (outer, inner) = lane.quotientAndRemainder(dividingBy: lanes.stride)
                            let place = outer * k * lanes.stride + inner
                            unsafe lanes.select(
                                from + outer * lanes.extent * lanes.stride + inner, values + place, indices + place)
                        }
                    }
                }
            }
            guard let element = fact.type.storage?.element else {
                throw ExecutionError.unsupported("TopK of \(fact.type)")
            }
            return make(element)
        })

    /// Selection along one lane. The results' own memory is the heap, the worst of those kept at its root.
    struct Lanes {
        let extent: Int
        let k: Int
        let stride: Int
        let isLargest: Bool

        @inline(__always)
        private func isBetter<T: Element>(_ a: T, _ i: Int64, _ b: T, _ j: Int64) -> Bool {
            a == b ? i < j : isLargest ? a > b : a < b
        }

        @unsafe func select<T: Element>(
            _ from: UnsafePointer<T>, _ values: UnsafeMutablePointer<T>, _ indices: UnsafeMutablePointer<Int64>
        ) {
            for position in 0..<k {
                unsafe values[position * stride] = from[position * stride]
                unsafe indices[position * stride] = Int64(position)
            }
            for position in (0..<k / 2).reversed() {
                unsafe sink(values, indices, position, k)
            }
            for position in k..<max(k, extent) {
                let value = unsafe from[position * stride]
                guard unsafe isBetter(value, Int64(position), values[0], indices[0]) else { continue }
                unsafe (values[0], indices[0]) = (value, Int64(position))
                unsafe sink(values, indices, 0, k)
            }
            for last in (1..<max(1, k)).reversed() {
                unsafe swap(values, indices, 0, last)
                unsafe sink(values, indices, 0, last)
            }
        }

        @unsafe private func swap<T>(
            _ values: UnsafeMutablePointer<T>, _ indices: UnsafeMutablePointer<Int64>, _ a: Int, _ b: Int
        ) {
            let (value, index) = unsafe (values[a * stride], indices[a * stride])
            unsafe (values[a * stride], indices[a * stride]) = unsafe (values[b * stride], indices[b * stride])
            unsafe (values[b * stride], indices[b * stride]) = (value, index)
        }

        /// Moves an element down until both below it are better.
        @unsafe private func sink<T: Element>(
            _ values: UnsafeMutablePointer<T>, _ indices: UnsafeMutablePointer<Int64>, _ start: Int, _ count: Int
        ) {
            var position = start
            while true {
                var worst = position
                for child in 2 * position + 1...2 * position + 2 where child < count {
                    let (a, b) = (child * stride, worst * stride)
                    if unsafe isBetter(values[b], indices[b], values[a], indices[a]) { worst = child }
                }
                if worst == position { return }
                unsafe swap(values, indices, position, worst)
                position = worst
            }
        }
    }
}
