/// The type of a tensor's elements. Raw values are those of ONNX's `TensorProto.DataType`, which other formats map to.
public enum ElementType: Int32, Sendable, Hashable, CaseIterable {
    case float32 = 1
    case uint8 = 2
    case int8 = 3
    case uint16 = 4
    case int16 = 5
    case int32 = 6
    case int64 = 7
    case string = 8
    case bool = 9
    case float16 = 10
    case float64 = 11
    case uint32 = 12
    case uint64 = 13
    case complex64 = 14
    case complex128 = 15
    case bfloat16 = 16
    case float8E4M3FN = 17
    case float8E4M3FNUZ = 18
    case float8E5M2 = 19
    case float8E5M2FNUZ = 20
    case uint4 = 21
    case int4 = 22
    case float4E2M1 = 23
    case float8E8M0 = 24
    case uint2 = 25
    case int2 = 26

    /// Bits of one element in packed form; `nil` for strings. Elements under eight bits are packed low bits first.
    public var bitWidth: Int? {
        switch self {
        case .string: nil
        case .uint2, .int2: 2
        case .uint4, .int4, .float4E2M1: 4
        case .uint8, .int8, .bool, .float8E4M3FN, .float8E4M3FNUZ, .float8E5M2, .float8E5M2FNUZ, .float8E8M0: 8
        case .uint16, .int16, .float16, .bfloat16: 16
        case .float32, .int32, .uint32: 32
        case .float64, .int64, .uint64, .complex64: 64
        case .complex128: 128
        }
    }

    /// True for the types whose tensors may be factorized: a weight in them is a rounded real number.
    public var isFactorizable: Bool {
        switch self {
        case .float32, .float64, .float16, .bfloat16: true
        default: false
        }
    }

    /// Bytes that `count` packed elements take; `nil` for strings and on overflow.
    public func byteCount(of count: Int) -> Int? {
        guard let bitWidth, count >= 0 else { return nil }
        let (bits, overflow) = count.multipliedReportingOverflow(by: bitWidth)
        if overflow { return nil }
        return bits / 8 + (bits % 8 == 0 ? 0 : 1)
    }
}
