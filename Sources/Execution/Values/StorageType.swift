public import ConverterKit

/// How the elements of a tensor lie in memory while a graph runs. The small floating types are held in single precision
/// and rounded after each operator, the types under eight bits one to a byte.
public enum StorageType: Sendable, Hashable, CaseIterable {
    case float, double
    case int8, uint8, int16, uint16, int32, uint32, int64, uint64
    /// Held by `TensorValue` itself and in no buffer.
    case string

    /// Bytes of one element; 0 for strings.
    public var stride: Int {
        switch self {
        case .int8, .uint8: 1
        case .int16, .uint16: 2
        case .float, .int32, .uint32: 4
        case .double, .int64, .uint64: 8
        case .string: 0
        }
    }

    /// The Swift type of an element; `nil` for strings.
    var element: (any Element.Type)? {
        switch self {
        case .float: Float.self
        case .double: Double.self
        case .int8: Int8.self
        case .uint8: UInt8.self
        case .int16: Int16.self
        case .uint16: UInt16.self
        case .int32: Int32.self
        case .uint32: UInt32.self
        case .int64: Int64.self
        case .uint64: UInt64.self
        case .string: nil
        }
    }
}

extension ElementType {
    /// `nil` for the complex types, which are not executed.
    public var storage: StorageType? {
        switch self {
        case .float32, .float16, .bfloat16, .float8E4M3FN, .float8E4M3FNUZ, .float8E5M2, .float8E5M2FNUZ, .float4E2M1,
            .float8E8M0:
            .float
        case .float64: .double
        case .int8, .int4, .int2: .int8
        case .uint8, .bool, .uint4, .uint2: .uint8
        case .int16: .int16
        case .uint16: .uint16
        case .int32: .int32
        case .uint32: .uint32
        case .int64: .int64
        case .uint64: .uint64
        case .string: .string
        case .complex64, .complex128: nil
        }
    }

    /// True for the real types.
    public var isFloating: Bool { storage == .float || storage == .double }
}

/// A number that lies in a buffer.
protocol Element: Sendable, Comparable {
    static var storage: StorageType { get }
    static var zero: Self { get }
    /// Towards zero, and to the nearest bound where it does not fit; 0 for not a number.
    init(clamping value: Double)
    var asDouble: Double { get }
    static func adding(_ a: Self, _ b: Self) -> Self
    static func subtracting(_ a: Self, _ b: Self) -> Self
    static func multiplying(_ a: Self, _ b: Self) -> Self
    /// Of integers towards zero; by zero it is zero.
    static func dividing(_ a: Self, _ b: Self) -> Self
}

extension Element where Self: FixedWidthInteger {
    var asDouble: Double { Double(self) }
    init(clamping value: Double) {
        let whole = value.isNaN ? 0 : value.rounded(.towardZero)
        self = Self(exactly: whole) ?? (whole < 0 ? .min : .max)
    }
    static func adding(_ a: Self, _ b: Self) -> Self { a &+ b }
    static func subtracting(_ a: Self, _ b: Self) -> Self { a &- b }
    static func multiplying(_ a: Self, _ b: Self) -> Self { a &* b }
    static func dividing(_ a: Self, _ b: Self) -> Self { b == 0 ? 0 : a.dividedReportingOverflow(by: b).partialValue }
}

extension Element where Self: BinaryFloatingPoint {
    var asDouble: Double { Double(self) }
    init(clamping value: Double) { self = Self(value) }
    static func adding(_ a: Self, _ b: Self) -> Self { a + b }
    static func subtracting(_ a: Self, _ b: Self) -> Self { a - b }
    static func multiplying(_ a: Self, _ b: Self) -> Self { a * b }
    static func dividing(_ a: Self, _ b: Self) -> Self { a / b }
}

extension Float: Element { static var storage: StorageType { .float } }
extension Double: Element { static var storage: StorageType { .double } }
extension Int8: Element { static var storage: StorageType { .int8 } }
extension UInt8: Element { static var storage: StorageType { .uint8 } }
extension Int16: Element { static var storage: StorageType { .int16 } }
extension UInt16: Element { static var storage: StorageType { .uint16 } }
extension Int32: Element { static var storage: StorageType { .int32 } }
extension UInt32: Element { static var storage: StorageType { .uint32 } }
extension Int64: Element { static var storage: StorageType { .int64 } }
extension UInt64: Element { static var storage: StorageType { .uint64 } }
