internal import ConverterKit

/// Sums of products by an equation of labels.
enum EinsumOperators {
    static let all = [einsum]

    static let einsum = Operator("Einsum", gradient: gradient) { preparation in
        let facts = try preparation.inputs.indices.map { try preparation.fact($0) }
        guard let type = facts.first?.type, facts.allSatisfy({ $0.type == type }) else {
            throw ExecutionError.type("Einsum of \(facts.map(\.type))")
        }
        let shapes = facts.map(\.shape)
        let equation = try EinsumEquation(preparation.attributes.string("equation") ?? "", shapes: shapes)
        let schedule = try EinsumSchedule(equation, shapes: shapes)
        let fact = TensorFact(type: type, shape: equation.outputShape)
        func make<T: Element>(_: T.Type) -> Kernel {
            { unsafe run($0, schedule, T.self) }
        }
        return Prepared(
            [fact], scratch: schedule.scratchCount * (type.storage?.stride ?? 0), macs: schedule.macs,
            kernel: make(try fact.numericElement("Einsum")))
    }

    @unsafe private static func run<T: Element>(_ arguments: KernelArguments, _ schedule: EinsumSchedule, _: T.Type) {
        func source(_ place: EinsumSchedule.Place) -> UnsafePointer<T> {
            switch place {
            case .input(let index): unsafe arguments.input(index)
            case .scratch(let offset): unsafe UnsafePointer(arguments.scratch(T.self) + offset)
            case .output: unsafe UnsafePointer(arguments.output(0, T.self))
            }
        }
        func target(_ place: EinsumSchedule.Place) -> UnsafeMutablePointer<T> {
            if case .scratch(let offset) = place { return unsafe arguments.scratch(T.self) + offset }
            return unsafe arguments.output(0, T.self)
        }
        for step in schedule.steps {
            switch step {
            case .gather(let from, let gather, let to): unsafe gather.run(source(from), into: target(to))
            case .product(let a, let b, let product, let batch, let to):
                unsafe product.run(source(a), source(b), into: target(to), batch: batch, pool: arguments.pool)
            }
        }
    }

    /// Of each operand: the Einsum of the arriving gradient and the other operands to its labels, spread over the axes
    /// that it alone has.
    private static let gradient: GradientRule = { context in
        let ids = try context.inputs.indices.map { try context.input($0) }
        let shapes = try ids.map { try context.shape($0) }
        let equation = try EinsumEquation(context.attributes.string("equation") ?? "", shapes: shapes)
        let dy = try context.gradient()
        return try ids.indices.map { index -> ValueID? in
            guard context.wants(index) else { return nil }
            let own = equation.operands[index]
            guard Set(own).count == own.count else {
                throw ExecutionError.noGradient("the diagonal in an Einsum has no gradient here")
            }
            let others = ids.indices.filter { $0 != index }
            let terms = [equation.output] + others.map { equation.operands[$0] }
            let known = Set(terms.joined())
            let text =
                terms.map { String($0) }.joined(separator: ",") + "->" + String(own.filter { known.contains($0) })
            let product = try context.emit("Einsum", [dy] + others.map { ids[$0] }, ["equation": text])
            let full = own.map { equation.extents[$0] ?? 1 }
            let spread = own.map { known.contains($0) ? equation.extents[$0] ?? 1 : 1 }
            let gradient = try context.expand(context.reshape(product, spread), full)
            return try context.unbroadcast(gradient, to: shapes[index])
        }
    }
}
