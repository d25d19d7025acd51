internal import ConverterKit

/// Operators that compare two tensors of one type, broadcast: Equal, Greater, GreaterOrEqual, Less, LessOrEqual.
/// Nothing is equal to not-a-number, or less or greater.
enum ComparisonOperators {
    static let all = [equal, greater, greaterOrEqual, less, lessOrEqual]

    enum Relation: Sendable {
        case equal, greater, greaterOrEqual, less, lessOrEqual

        func function<T: Comparable & SendableMetatype>(_: T.Type) -> @Sendable (T, T) -> UInt8 {
            switch self {
            case .equal: { $0 == $1 ? 1 : 0 }
            case .greater: { $0 > $1 ? 1 : 0 }
            case .greaterOrEqual: { $0 >= $1 ? 1 : 0 }
            case .less: { $0 < $1 ? 1 : 0 }
            case .lessOrEqual: { $0 <= $1 ? 1 : 0 }
            }
        }
    }

    private static func comparison(_ name: String, _ relation: Relation) -> Operator {
        Operator(name) { preparation in
            let (a, b, loops) = try preparation.pair()
            if a.type == .string { return try compareStrings(preparation, relation, loops) }
            let (storage, element) = try preparation.storage(a.type)
            let fact = TensorFact(type: .bool, shape: loops.shape)
            func make<T: Element>(_: T.Type) -> Kernel { ElementLoops.zip(loops, relation.function(T.self)) }
            let kernel = storage == .float ? floats(relation, loops) : make(element)
            return Prepared([fact], overwritable: loops.overwritable([a, b], by: .uint8), kernel: kernel)
        }
    }

    /// The loops for single precision, each with its relation built in.
    private static func floats(_ relation: Relation, _ loops: BroadcastLoops) -> Kernel {
        switch relation {
        case .equal: ElementLoops.zip(loops) { (a: Float, b: Float) -> UInt8 in a == b ? 1 : 0 }
        case .greater: ElementLoops.zip(loops) { (a: Float, b: Float) -> UInt8 in a > b ? 1 : 0 }
        case .greaterOrEqual: ElementLoops.zip(loops) { (a: Float, b: Float) -> UInt8 in a >= b ? 1 : 0 }
        case .less: ElementLoops.zip(loops) { (a: Float, b: Float) -> UInt8 in a < b ? 1 : 0 }
        case .lessOrEqual: ElementLoops.zip(loops) { (a: Float, b: Float) -> UInt8 in a <= b ? 1 : 0 }
        }
    }

    /// Strings lie in no buffer, so they are compared as soon as they are known.
    private static func compareStrings(_ preparation: Preparation, _ relation: Relation, _ loops: BroadcastLoops) throws
        -> Prepared
    {
        guard let a = try preparation.content(0)?.strings, let b = try preparation.content(1)?.strings else {
            throw ExecutionError.missingInput("of \(preparation.use.key)")
        }
        let function = relation.function(String.self)
        var result = [UInt8](repeating: 0, count: loops.count)
        let (aStep, bStep) = (loops.steps[0], loops.steps[1])
        loops.run(ThreadPool.shared(width: 1)) { run in
            for index in 0..<run.length {
                result[run.start + index] = function(a[run.a + index * aStep], b[run.b + index * bStep])
            }
        }
        return .known(try TensorValue(elements: result, shape: loops.shape, type: .bool))
    }

    static let equal = comparison("Equal", .equal)
    static let greater = comparison("Greater", .greater)
    static let greaterOrEqual = comparison("GreaterOrEqual", .greaterOrEqual)
    static let less = comparison("Less", .less)
    static let lessOrEqual = comparison("LessOrEqual", .lessOrEqual)
}
