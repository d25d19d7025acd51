internal import ConverterKit

/// Expand and Tile.
enum RepeatOperators {
    static let all = [expand, tile]

    /// The input broadcast against a shape.
    static let expand = Operator(
        "Expand",
        gradient: { context in
            [try context.unbroadcast(context.gradient(), to: context.shape(context.input(0)))]
        },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            guard let wanted = try preparation.integers(1) else {
                throw ExecutionError.missingInput("shape of Expand")
            }
            let rank = max(wanted.count, fact.shape.count)
            let own = [Int](repeating: 1, count: rank - fact.shape.count) + fact.shape
            let other = [Int](repeating: 1, count: rank - wanted.count) + wanted
            let shape = try zip(own, other).map { a, b -> Int in
                guard a == b || a == 1 || b == 1, b >= 0 else {
                    throw ExecutionError.shape("\(fact.shape) is not expanded to \(wanted)")
                }
                return a == 1 ? b : a
            }
            _ = try shape.elementCount()
            let result = TensorFact(type: fact.type, shape: shape)
            if result.count == fact.count { return .view(result) }
            let (from, to) = (own.rowMajorStrides, shape.rowMajorStrides)
            let copy = StridedCopy(
                shape.indices.map {
                    .init(extent: shape[$0], from: own[$0] == 1 ? 0 : from[$0], to: to[$0])
                }, elementSize: try fact.elementSize())
            return Prepared([result]) { arguments in
                unsafe copy.run(from: arguments.bytes(of: 0), to: arguments.outputBytes(), pool: arguments.pool)
            }
        })

    /// The input side by side, `repeats` times along each axis.
    static let tile = Operator(
        "Tile",
        gradient: { context in
            let shape = try context.shape(context.input(0))
            let repeats = try repeats(context.preparation())
            let divided = zip(repeats, shape).flatMap { [$0, $1] }
            let sum = try context.reduceSum(
                context.reshape(context.gradient(), divided),
                axes: repeats.indices.filter { repeats[$0] != 1 }.map { 2 * $0 })
            return [try context.reshape(sum, shape)]
        },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            let repeats = try repeats(preparation)
            let shape = try zip(fact.shape, repeats).map { extent, count -> Int in
                let (product, overflow) = extent.multipliedReportingOverflow(by: count)
                guard count >= 0, !overflow else { throw ExecutionError.shape("Tile of \(fact.shape) by \(repeats)") }
                return product
            }
            _ = try shape.elementCount()
            let result = TensorFact(type: fact.type, shape: shape)
            if repeats.allSatisfy({ $0 == 1 }) { return .view(result) }
            let (from, to) = (fact.shape.rowMajorStrides, shape.rowMajorStrides)
            let copy = StridedCopy(
                shape.indices.flatMap { axis in
                    [
                        StridedCopy.Axis(extent: repeats[axis], from: 0, to: to[axis] * fact.shape[axis]),
                        StridedCopy.Axis(extent: fact.shape[axis], from: from[axis], to: to[axis]),
                    ]
                }, elementSize: try fact.elementSize())
            return Prepared([result]) { arguments in
                unsafe copy.run(from: arguments.bytes(of: 0), to: arguments.outputBytes(), pool: arguments.pool)
            }
        })

    /// By axis. Before version 6 a count and an axis are stated.
    private static func repeats(_ preparation: Preparation) throws -> [Int] {
        let rank = try preparation.shape(0).count
        guard let stated = try preparation.content(1)?.doubles().map({ Int(Int64(clamping: $0)) }) else {
            throw ExecutionError.missingInput("repeats of Tile")
        }
        if preparation.version < 6 {
            guard let axis = try preparation.content(2)?.doubles().first, let count = stated.first else {
                throw ExecutionError.missingInput("axis of Tile")
            }
            var repeats = [Int](repeating: 1, count: rank)
            repeats[try preparation.axis(Int(Int64(clamping: axis)), rank: max(rank, 1))] = count
            return repeats
        }
        guard stated.count == rank else { throw ExecutionError.shape("Tile by \(stated) of \(rank) axes") }
        return stated
    }
}
