internal import ConverterKit

/// Kernels that convert elements from type to type. Integers wrap to fewer bits, real numbers go towards zero and to
/// the nearest bound; float16 and bfloat16 results are rounded by the plan, smaller ones here.
enum Conversion {
    static func kernel(
        from: ElementType, to: ElementType, count: Int, saturates: Bool, _ preparation: Preparation
    ) throws -> Kernel {
        let (fromStorage, element) = try preparation.storage(from)
        let (toStorage, target) = try preparation.storage(to)
        if to == .bool {
            func make<T: Element>(_: T.Type) -> Kernel {
                ElementLoops.map(count: count) { (x: T) -> UInt8 in x == T.zero ? 0 : 1 }
            }
            return fromStorage == .float
                ? ElementLoops.map(count: count) { (x: Float) -> UInt8 in x == 0 ? 0 : 1 } : make(element)
        }
        if let small = smallFloat(to, saturates: saturates) {
            func make<T: Element>(_: T.Type) -> Kernel {
                ElementLoops.map(count: count) { (x: T) -> Float in small(Float(clamping: x.asDouble)) }
            }
            return make(element)
        }
        if let range = subByteRange(to) {
            func make<T: Element>(_: T.Type) -> Kernel { toSubByte(range, toStorage, count, T.self) }
            return make(element)
        }
        if let fast = common(fromStorage, toStorage, count) { return fast }
        if let source = fromStorage.integer, let target = toStorage.integer { return integers(source, target, count) }
        func make<T: Element>(_: T.Type) -> Kernel {
            func makeTarget<U: Element>(_: U.Type) -> Kernel {
                ElementLoops.map(count: count) { (x: T) -> U in U(clamping: x.asDouble) }
            }
            return makeTarget(target)
        }
        return make(element)
    }

    /// Pairs that occur often, each with its loop built in.
    private static func common(_ from: StorageType, _ to: StorageType, _ count: Int) -> Kernel? {
        switch (from, to) {
        case (.float, .float): ElementLoops.map(count: count) { (x: Float) in x }
        case (.uint8, .float): ElementLoops.map(count: count) { (x: UInt8) in Float(x) }
        case (.int32, .float): ElementLoops.map(count: count) { (x: Int32) in Float(x) }
        case (.int64, .float): ElementLoops.map(count: count) { (x: Int64) in Float(x) }
        case (.uint64, .float): ElementLoops.map(count: count) { (x: UInt64) in Float(x) }
        case (.double, .float): ElementLoops.map(count: count) { (x: Double) in Float(x) }
        case (.float, .double): ElementLoops.map(count: count) { (x: Float) in Double(x) }
        default: nil
        }
    }

    private static func integers(
        _ source: any (FixedWidthInteger & Element).Type, _ target: any (FixedWidthInteger & Element).Type, _ count: Int
    ) -> Kernel {
        func make<T: FixedWidthInteger & Element>(_: T.Type) -> Kernel {
            func makeTarget<U: FixedWidthInteger & Element>(_: U.Type) -> Kernel {
                ElementLoops.map(count: count) { (x: T) -> U in U(truncatingIfNeeded: x) }
            }
            return makeTarget(target)
        }
        return make(source)
    }

    private static func smallFloat(_ type: ElementType, saturates: Bool) -> (@Sendable (Float) -> Float)? {
        if type == .float8E8M0 { return { SmallFloatFormat.roundToPower($0) } }
        guard let format = SmallFloatFormat(type) else { return nil }
        return { format.round($0, saturates: saturates) }
    }

    private static func subByteRange(_ type: ElementType) -> ClosedRange<Double>? {
        switch type {
        case .int4: -8...7
        case .uint4: 0...15
        case .int2: -2...1
        case .uint2: 0...3
        default: nil
        }
    }

    /// Integers keep their lowest bits.
    private static func toSubByte<T: Element>(
        _ range: ClosedRange<Double>, _ to: StorageType, _ count: Int, _: T.Type
    ) -> Kernel {
        let isInteger = T.storage.integer != nil
        let size = range.upperBound - range.lowerBound + 1
        let number: @Sendable (T) -> Double = { x in
            let whole = x.asDouble.isNaN ? 0 : x.asDouble.rounded(.towardZero)
            guard isInteger else { return min(max(whole, range.lowerBound), range.upperBound) }
            let shifted = (whole - range.lowerBound).truncatingRemainder(dividingBy: size)
            return (shifted < 0 ? shifted + size : shifted) + range.lowerBound
        }
        if to == .int8 { return ElementLoops.map(count: count) { (x: T) in Int8(clamping: number(x)) } }
        return ElementLoops.map(count: count) { (x: T) in UInt8(clamping: number(x)) }
    }

    /// Text as ONNX has it: decimal or with an exponent, "INF", "NaN", in any case.
    static func number(_ text: String) throws -> Double {
        let trimmed = text.filter { !$0.isWhitespace }
        switch trimmed.lowercased() {
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        case "nan", "+nan", "-nan": return .nan
        default:
            guard let value = Double(trimmed) else { throw ExecutionError.type("\"\(text)\" is no number") }
            return value
        }
    }

    /// The shortest text that reads back as the number.
    static func text(_ value: TensorValue) throws -> [String] {
        switch value.type.storage {
        case .float:
            let half = value.type == .float16
            return try value.floats().map { x in
                x.isNaN ? "NaN" : x.isInfinite ? (x < 0 ? "-INF" : "INF") : half ? "\(Float16(x))" : "\(x)"
            }
        case .double:
            return try value.doubles().map { x in
                x.isNaN ? "NaN" : x.isInfinite ? (x < 0 ? "-INF" : "INF") : "\(x)"
            }
        case .uint64: return try value.elements(UInt64.self).map { "\($0)" }
        case .string: return value.strings
        default: return try value.integers().map { "\($0)" }
        }
    }
}
