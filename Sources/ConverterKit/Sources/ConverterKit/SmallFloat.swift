/// Floating-point formats that Swift has no type for.
enum SmallFloat {
    /// Rounds to nearest, ties to even; NaN stays NaN.
    static func bfloat16(rounding value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(bits >> 16) | 0x40 }
        return UInt16((bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
    }

    /// The value of an 8- or 4-bit pattern (OCP 8-bit floating point and microscaling formats; FNUZ of Noune et al.,
    /// arXiv 2206.02915).
    static func decode(_ bits: UInt8, as type: ElementType) -> Double {
        switch type {
        case .float8E4M3FN: minifloat(bits, exponentBits: 4, mantissaBits: 3, bias: 7, special: .onlyNaN)
        case .float8E4M3FNUZ: minifloat(bits, exponentBits: 4, mantissaBits: 3, bias: 8, special: .negativeZeroIsNaN)
        case .float8E5M2: minifloat(bits, exponentBits: 5, mantissaBits: 2, bias: 15, special: .ieee)
        case .float8E5M2FNUZ: minifloat(bits, exponentBits: 5, mantissaBits: 2, bias: 16, special: .negativeZeroIsNaN)
        case .float4E2M1: minifloat(bits, exponentBits: 2, mantissaBits: 1, bias: 1, special: .none)
        case .float8E8M0: bits == 0xff ? .nan : power(of: Int(bits) - 127)
        default: .nan
        }
    }

    private enum Special { case ieee, onlyNaN, negativeZeroIsNaN, none }

    private static func minifloat(
        _ bits: UInt8, exponentBits: Int, mantissaBits: Int, bias: Int, special: Special
    ) -> Double {
        let negative = bits >> UInt8(exponentBits + mantissaBits) & 1 == 1
        let exponent = Int(bits >> UInt8(mantissaBits)) & ((1 << exponentBits) - 1)
        let mantissa = Int(bits) & ((1 << mantissaBits) - 1)
        let topExponent = exponent == (1 << exponentBits) - 1
        let fullMantissa = mantissa == (1 << mantissaBits) - 1
        switch special {
        case .ieee where topExponent: return mantissa == 0 ? (negative ? -.infinity : .infinity) : .nan
        case .onlyNaN where topExponent && fullMantissa: return .nan
        case .negativeZeroIsNaN where negative && exponent == 0 && mantissa == 0: return .nan
        default: break
        }
        let fraction = Double(mantissa) / Double(1 << mantissaBits)
        let magnitude = exponent == 0 ? fraction * power(of: 1 - bias) : (1 + fraction) * power(of: exponent - bias)
        return negative ? -magnitude : magnitude
    }

    private static func power(of exponent: Int) -> Double { Double(sign: .plus, exponent: exponent, significand: 1) }
}
