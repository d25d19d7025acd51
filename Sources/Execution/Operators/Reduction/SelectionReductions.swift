internal import ConverterKit

/// ArgMax and ArgMin: where along an axis the extreme is; CumSum: running sums.
enum SelectionReductions {
    static let all = [extreme("ArgMax", isLargest: true), extreme("ArgMin", isLargest: false), runningSum]

    /// [outer, n, inner] around an axis.
    private static func split(_ shape: [Int], at axis: Int) -> (outer: Int, n: Int, inner: Int) {
        guard shape.indices.contains(axis) else { return (1, 1, 1) }
        return (shape[..<axis].reduce(1, *), shape[axis], shape[(axis + 1)...].reduce(1, *))
    }

    /// The first index of the extreme, or the last with `select_last_index`; not-a-number counts as the extreme.
    private static func extreme(_ name: String, isLargest: Bool) -> Operator {
        Operator(
            name, gradient: { _ in [nil] },
            prepare: { preparation in
                let fact = try preparation.fact(0)
                let element = try preparation.storage(fact.type).element
                let axis = try preparation.axis(
                    preparation.attributes.int("axis", otherwise: 0), rank: fact.shape.count)
                let (outer, n, inner) = split(fact.shape, at: axis)
                let takesLast = preparation.attributes.flag("select_last_index")
                var shape = fact.shape
                if !shape.isEmpty {
                    if preparation.attributes.flag("keepdims", otherwise: true) {
                        shape[axis] = 1
                    } else {
                        shape.remove(at: axis)
                    }
                }
                guard n > 0 || outer * inner == 0 else { throw ExecutionError.shape("\(name) of no elements") }
                func make<T: Element>(_: T.Type) -> Kernel {
                    { arguments in
                        let x = unsafe arguments.input(0, T.self)
                        let y = unsafe arguments.output(0, Int64.self)
                        let grain = max(1, BroadcastLoops.grain / max(1, n))
                        arguments.pool.split(outer * inner, grain: grain) { range in
                            for row in range {
                                let from = unsafe x + (row / inner * n * inner + row % inner)
                                var best = 0
                                for index in 0..<n {
                                    let (value, top) = unsafe (from[index * inner], from[best * inner])
                                    let isBetter = isLargest ? value > top : value < top
                                    let isNumber = top == top
                                    if (isBetter || value != value) && isNumber || takesLast && value == top {
                                        best = index
                                    }
                                }
                                unsafe y[row] = Int64(best)
                            }
                        }
                    }
                }
                return Prepared([TensorFact(type: .int64, shape: shape)], kernel: make(element))
            })
    }

    /// y[i] = Σ x[j] over j ≤ i; without the element itself when `exclusive`, from the end when `reverse`.
    static let runningSum = Operator(
        "CumSum",
        gradient: { context in
            var attributes = context.attributes
            attributes.set("reverse", !context.attributes.flag("reverse"))
            return [try context.emit("CumSum", [context.gradient(), context.input(1)], attributes), nil]
        },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            let element = try preparation.storage(fact.type).element
            guard let stated = try preparation.integers(1)?.first else {
                throw ExecutionError.missingInput("axis of CumSum")
            }
            let axis = try preparation.axis(stated, rank: fact.shape.count)
            let (outer, n, inner) = split(fact.shape, at: axis)
            let isExclusive = preparation.attributes.flag("exclusive")
            let isReverse = preparation.attributes.flag("reverse")
            func make<T: Element>(_: T.Type) -> Kernel {
                { arguments in
                    let x = unsafe arguments.input(0, T.self)
                    let y = unsafe arguments.output(0, T.self)
                    arguments.pool.split(outer, grain: max(1, BroadcastLoops.grain / max(1, n * inner))) { range in
                        for block in range {
                            for position in 0..<n {
                                let row = isReverse ? n - 1 - position : position
                                let to = unsafe y + (block * n + row) * inner
                                let before = unsafe isReverse ? to + inner : to - inner
                                let from =
                                    unsafe x + (block * n + (isExclusive ? row + (isReverse ? 1 : -1) : row)) * inner
                                for column in 0..<inner {
                                    let sum = unsafe position == 0 ? T.zero : before[column]
                                    let isEmpty = isExclusive && position == 0
                                    unsafe to[column] = isEmpty ? T.zero : T.adding(sum, from[column])
                                }
                            }
                        }
                    }
                }
            }
            return Prepared([fact], kernel: make(element))
        })
}
