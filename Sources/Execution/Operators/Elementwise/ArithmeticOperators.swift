internal import ConverterKit

/// Operators of two numeric tensors of one type, broadcast: Add, Sub, Mul, Div.
enum ArithmeticOperators {
    static let all = [add, sub, mul, div]

    /// The four operations, and the two choices of Min and Max.
    enum Operation: Sendable {
        case add, subtract, multiply, divide, minimum, maximum

        var floats: FloatBinary {
            switch self {
            case .add: .add
            case .subtract: .subtract
            case .multiply: .multiply
            case .divide: .divide
            case .minimum: .minimum
            case .maximum: .maximum
            }
        }

        /// Not-a-number is kept by the choices.
        func function<T: Element>(_: T.Type) -> @Sendable (T, T) -> T {
            switch self {
            case .add: { T.adding($0, $1) }
            case .subtract: { T.subtracting($0, $1) }
            case .multiply: { T.multiplying($0, $1) }
            case .divide: { T.dividing($0, $1) }
            case .minimum: { $0 < $1 || $0 != $0 ? $0 : $1 }
            case .maximum: { $0 > $1 || $0 != $0 ? $0 : $1 }
            }
        }

        /// y = a ∘ b.
        func kernel(_ storage: StorageType, _ element: any Element.Type, _ loops: BroadcastLoops) -> Kernel {
            if storage == .float { return ElementLoops.zip(loops, floats) }
            func make<T: Element>(_: T.Type) -> Kernel { ElementLoops.zip(loops, function(T.self)) }
            return make(element)
        }
    }

    private static func binary(_ name: String, _ operation: Operation, gradient: @escaping GradientRule) -> Operator {
        Operator(name, gradient: gradient) { preparation in
            let (a, b, loops) = try preparation.pair()
            let (storage, element) = try preparation.storage(a.type)
            return Prepared(
                [TensorFact(type: a.type, shape: loops.shape)], overwritable: loops.overwritable([a, b], by: storage),
                kernel: operation.kernel(storage, element, loops))
        }
    }

    static let add = binary("Add", .add) { context in
        let gradient = try context.gradient()
        return [try context.sum(gradient, toInput: 0), try context.sum(gradient, toInput: 1)]
    }

    static let sub = binary("Sub", .subtract) { context in
        let gradient = try context.gradient()
        return [
            try context.sum(gradient, toInput: 0),
            try context.sum(gradient, toInput: 1).map { try context.negate($0) },
        ]
    }

    static let mul = binary("Mul", .multiply) { context in
        let (a, b) = (try context.input(0), try context.legacyOperand())
        let gradient = try context.gradient()
        return [
            context.wants(0) ? try context.sum(context.multiply(gradient, b), toInput: 0) : nil,
            context.wants(1) ? try context.sum(context.multiply(gradient, a), toInput: 1) : nil,
        ]
    }

    /// ∂(a/b) = dy/b and −dy·y/b.
    static let div = binary("Div", .divide) { context in
        let b = try context.legacyOperand()
        let quotient = try context.divide(context.gradient(), b)
        guard context.wants(1) else { return [try context.sum(quotient, toInput: 0), nil] }
        let product = try context.multiply(quotient, context.output())
        return [
            try context.sum(quotient, toInput: 0), try context.sum(context.negate(product), toInput: 1),
        ]
    }
}

extension GradientContext {
    /// A gradient of the result's extents, summed to those of an operand that was broadcast; `nil` when not wanted.
    func sum(_ gradient: ValueID, toInput index: Int) throws -> ValueID? {
        guard wants(index) else { return nil }
        let shape = try self.shape(input(index))
        let padded = index == 1 ? try legacyShape() : shape
        return try reshape(unbroadcast(gradient, to: padded), shape)
    }

    /// The extents of input 1 as they are broadcast, before version 7 by the attribute `axis`.
    private func legacyShape() throws -> [Int] {
        let (a, b) = (try shape(input(0)), try shape(input(1)))
        guard version < 7, attributes.flag("broadcast"), let axis = attributes.int("axis") else { return b }
        let start = axis < 0 ? axis + a.count : axis
        return b + [Int](repeating: 1, count: max(0, a.count - start - b.count))
    }

    /// Input 1 with those extents.
    func legacyOperand() throws -> ValueID { try reshape(input(1), legacyShape()) }
}
