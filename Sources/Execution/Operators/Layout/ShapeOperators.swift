internal import ConverterKit

/// Operators that give the same elements in another shape (views), and those that say what a shape is.
enum ShapeOperators {
    static let all = [reshape, flatten, squeeze, unsqueeze, shape, size]

    static let reshape = Operator("Reshape", gradient: sameElements) { preparation in
        let fact = try preparation.fact(0)
        guard let wanted = try preparation.integers("shape", orInput: 1) else {
            throw ExecutionError.missingInput("shape of Reshape")
        }
        let keepsZeros = preparation.attributes.flag("allowzero")
        var shape = try wanted.enumerated().map { axis, extent -> Int in
            guard extent == 0, !keepsZeros else { return extent }
            guard fact.shape.indices.contains(axis) else {
                throw ExecutionError.shape("Reshape takes axis \(axis) from a tensor of shape \(fact.shape)")
            }
            return fact.shape[axis]
        }
        if let free = shape.firstIndex(of: -1) {
            let rest = try shape.enumerated().filter { $0.offset != free }.map(\.element).elementCount()
            guard rest > 0, fact.count % rest == 0 else {
                throw ExecutionError.shape("\(fact.shape) cannot be reshaped to \(wanted)")
            }
            shape[free] = fact.count / rest
        }
        guard try shape.elementCount() == fact.count else {
            throw ExecutionError.shape("\(fact.shape) cannot be reshaped to \(wanted)")
        }
        return .view(TensorFact(type: fact.type, shape: shape))
    }

    static let flatten = Operator("Flatten", gradient: sameElements) { preparation in
        let fact = try preparation.fact(0)
        let axis = preparation.attributes.int("axis", otherwise: 1)
        let split = axis < 0 ? axis + fact.shape.count : axis
        guard split >= 0, split <= fact.shape.count else { throw ExecutionError.attribute("Flatten at axis \(axis)") }
        return .view(
            TensorFact(
                type: fact.type, shape: [fact.shape[..<split].reduce(1, *), fact.shape[split...].reduce(1, *)]))
    }

    static let squeeze = Operator("Squeeze", gradient: sameElements) { preparation in
        let fact = try preparation.fact(0)
        let rank = fact.shape.count
        let stated = try preparation.integers("axes", orInput: 1)
        let axes =
            try stated.map { try Axes.normalized($0, rank: rank) } ?? fact.shape.indices.filter { fact.shape[$0] == 1 }
        guard axes.allSatisfy({ fact.shape[$0] == 1 }) else {
            throw ExecutionError.shape("Squeeze of the axes \(axes) of \(fact.shape)")
        }
        return .view(
            TensorFact(type: fact.type, shape: fact.shape.indices.filter { !axes.contains($0) }.map { fact.shape[$0] }))
    }

    static let unsqueeze = Operator("Unsqueeze", gradient: sameElements) { preparation in
        let fact = try preparation.fact(0)
        guard let stated = try preparation.integers("axes", orInput: 1) else {
            throw ExecutionError.missingInput("axes of Unsqueeze")
        }
        var shape = fact.shape
        for axis in try Axes.normalized(stated, rank: shape.count + stated.count) { shape.insert(1, at: axis) }
        return .view(TensorFact(type: fact.type, shape: shape))
    }

    static let shape = Operator("Shape") { preparation in
        let extents = try preparation.shape(0)
        let rank = extents.count
        func bound(_ name: String, otherwise value: Int) -> Int {
            let position = preparation.attributes.int(name, otherwise: value)
            return min(max(position < 0 ? position + rank : position, 0), rank)
        }
        let (start, end) = (bound("start", otherwise: 0), bound("end", otherwise: rank))
        return .constant(extents[start..<max(start, end)].map { Int64($0) }, shape: [max(0, end - start)])
    }

    static let size = Operator("Size") { preparation in
        .constant([Int64(try preparation.fact(0).count)], shape: [])
    }

    static let sameElements: GradientRule = { context in
        [try context.reshape(context.gradient(), context.shape(context.input(0)))]
    }
}

extension Prepared {
    /// A result that does not depend on any content.
    static func constant(_ values: [Int64], shape: [Int]) -> Prepared {
        var prepared = Prepared([TensorFact(type: .int64, shape: shape)]) { arguments in
            let to = unsafe arguments.output(0, Int64.self)
            for (index, value) in values.enumerated() { unsafe to[index] = value }
        }
        prepared.isConstant = true
        return prepared
    }
}
