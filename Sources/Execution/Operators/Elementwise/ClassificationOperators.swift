internal import ConverterKit

/// Operators that say what kind of number each element is: IsNaN, IsInf.
enum ClassificationOperators {
    static let all = [isNaN, isInf]

    static let isNaN = classification("IsNaN") { _ in { $0.isNaN } }

    static let isInf = classification("IsInf") { attributes in
        let positive = attributes.flag("detect_positive", otherwise: true)
        let negative = attributes.flag("detect_negative", otherwise: true)
        return { $0.isInfinite && ($0 > 0 ? positive : negative) }
    }

    private static func classification(
        _ name: String, _ test: @escaping @Sendable (AttributeList) -> @Sendable (Double) -> Bool
    ) -> Operator {
        Operator(name) { preparation in
            let fact = try preparation.fact(0)
            guard fact.type.isFloating else { throw preparation.unsuitable(fact.type) }
            let test = test(preparation.attributes)
            let kernel: Kernel =
                fact.type.storage == .double
                ? ElementLoops.map(count: fact.count) { (x: Double) -> UInt8 in test(x) ? 1 : 0 }
                : ElementLoops.map(count: fact.count) { (x: Float) -> UInt8 in test(Double(x)) ? 1 : 0 }
            return Prepared([TensorFact(type: .bool, shape: fact.shape)], kernel: kernel)
        }
    }
}
