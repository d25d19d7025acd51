internal import ConverterKit

/// Operators of truth values and of bits: And, Or, Xor, Not, BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot, BitShift.
enum LogicalOperators {
    static let all = [
        logical("And", .and), logical("Or", .or), logical("Xor", .xor), not, bitwise("BitwiseAnd", .and),
        bitwise("BitwiseOr", .or), bitwise("BitwiseXor", .xor), bitwiseNot, bitShift,
    ]

    enum Operation: Sendable {
        case and, or, xor

        func function<T: FixedWidthInteger & SendableMetatype>(_: T.Type) -> @Sendable (T, T) -> T {
            switch self {
            case .and: { $0 & $1 }
            case .or: { $0 | $1 }
            case .xor: { $0 ^ $1 }
            }
        }
    }

    private static func logical(_ name: String, _ operation: Operation) -> Operator {
        Operator(name) { preparation in
            let (a, b, loops) = try preparation.pair()
            guard a.type == .bool else { throw preparation.unsuitable(a.type) }
            return Prepared(
                [TensorFact(type: .bool, shape: loops.shape)], overwritable: loops.overwritable([a, b], by: .uint8),
                kernel: ElementLoops.zip(loops, operation.function(UInt8.self)))
        }
    }

    static let not = Operator("Not") { preparation in
        let fact = try preparation.fact(0)
        guard fact.type == .bool else { throw preparation.unsuitable(fact.type) }
        return Prepared([fact], overwritable: [0], kernel: ElementLoops.map(count: fact.count) { (x: UInt8) in x ^ 1 })
    }

    private static func bitwise(_ name: String, _ operation: Operation) -> Operator {
        Operator(name) { preparation in
            let (a, b, loops) = try preparation.pair()
            guard let storage = a.type.storage, let element = storage.integer, a.type != .bool else {
                throw preparation.unsuitable(a.type)
            }
            func make<T: FixedWidthInteger & Element>(_: T.Type) -> Kernel {
                ElementLoops.zip(loops, operation.function(T.self))
            }
            return Prepared(
                [TensorFact(type: a.type, shape: loops.shape)], overwritable: loops.overwritable([a, b], by: storage),
                kernel: make(element))
        }
    }

    static let bitwiseNot = Operator("BitwiseNot") { preparation in
        let fact = try preparation.fact(0)
        guard let element = fact.type.storage?.integer, fact.type != .bool else {
            throw preparation.unsuitable(fact.type)
        }
        func make<T: FixedWidthInteger & Element>(_: T.Type) -> Kernel {
            ElementLoops.map(count: fact.count) { (x: T) in ~x }
        }
        return Prepared([fact], overwritable: [0], kernel: make(element))
    }

    /// Shifts by as many bits as the type has, or more, give zero.
    static let bitShift = Operator("BitShift") { preparation in
        let direction = preparation.attributes.string("direction")
        guard direction == "LEFT" || direction == "RIGHT" else {
            throw ExecutionError.attribute("BitShift in the direction \(direction ?? "that is not stated")")
        }
        let isLeft = direction == "LEFT"
        let (a, b, loops) = try preparation.pair()
        guard let storage = a.type.storage, let element = storage.integer, a.type != .bool else {
            throw preparation.unsuitable(a.type)
        }
        func make<T: FixedWidthInteger & Element>(_: T.Type) -> Kernel {
            ElementLoops.zip(loops) { (a: T, b: T) in isLeft ? a << b : a >> b }
        }
        return Prepared(
            [TensorFact(type: a.type, shape: loops.shape)], overwritable: loops.overwritable([a, b], by: storage),
            kernel: make(element))
    }
}
