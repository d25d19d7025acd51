import TestSupport

/// Models that differ by their seed.
enum GeneratedModel {
    /// One matrix of rank 4 with a little noise; behind it an operator of `domain`, if there is one.
    static func small(seed: UInt64, rows: Int = 48, columns: Int = 40, domain: String? = nil) -> [UInt8] {
        model(weight: ONNXBuilder.raw(values(seed, rows, columns)), rows, columns, domain: domain)
    }

    /// A matrix without structure that takes about a second to analyse.
    static func slow(seed: UInt64, side: Int = 1536) -> [UInt8] {
        var random = Numbers(state: seed &+ 1)
        return model(weight: ONNXBuilder.raw((0..<side * side).map { _ in random.next() }), side, side)
    }

    /// The small model with its weight in a file of its own.
    static func external(seed: UInt64, file: String, rows: Int = 48, columns: Int = 40) -> (
        model: [UInt8], data: [UInt8]
    ) {
        let data = Wire.words(values(seed, rows, columns).map(\.bitPattern))
        let weight = ONNXBuilder.external([("location", file), ("offset", "0"), ("length", "\(data.count)")])
        return (model(weight: weight, rows, columns), data)
    }

    private static func model(weight: Wire, _ rows: Int, _ columns: Int, domain: String? = nil) -> [UInt8] {
        let tensor = ONNXBuilder.tensor("w", dims: [Int64(rows), Int64(columns)], weight)
        var nodes = [ONNXBuilder.node("MatMul", ["x", "w"], [domain == nil ? "y" : "a"], name: "fc")]
        if let domain { nodes.append(ONNXBuilder.node("Unheard", ["a"], ["y"], name: "odd", domain: domain)) }
        let values = Wire.message(11, value("x", rows)) + .message(12, value("y", columns))
        return ONNXBuilder.model(
            operatorSets: [(nil, Int64?(17))] + (domain.map { [(String?($0), Int64?(1))] } ?? []),
            graph: ONNXBuilder.graph(
                nodes: nodes, initializers: [tensor], inputs: [], outputs: [], extra: values))
    }

    /// A row of numbers in single precision.
    private static func value(_ name: String, _ columns: Int) -> Wire {
        let extents: [Wire] = [1, Int64(columns)].map { .message(1, .int(1, $0)) }
        return .string(1, name)
            + .message(2, .message(1, .int(1, 1) + .message(2, extents.reduce([], +))))
    }

    private static func values(_ seed: UInt64, _ rows: Int, _ columns: Int) -> [Float] {
        var random = Numbers(state: seed &+ 1)
        let rank = 4
        let left = (0..<rows * rank).map { _ in random.next() }
        let right = (0..<rank * columns).map { _ in random.next() }
        return (0..<rows * columns).map { index in
            let (row, column) = index.quotientAndRemainder(dividingBy: columns)
            return (0..<rank).reduce(1e-4 * random.next()) { $0 + left[row * rank + $1] * right[$1 * columns + column] }
        }
    }

    /// Numbers within -1…1.
    struct Numbers {
        var state: UInt64

        mutating func next() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int32(truncatingIfNeeded: state >> 32)) / 2_147_483_648
        }
    }
}
