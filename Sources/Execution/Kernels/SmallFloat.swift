internal import ConverterKit

/// The floating types of eight bits and four: which numbers they can hold.
struct SmallFloatFormat: Sendable {
    /// Bits of the fraction.
    let fractionBits: Int
    /// Exponent of the least normal number.
    let leastExponent: Int
    let largest: Float
    let hasInfinity: Bool
    let hasNegativeZero: Bool
    let hasNaN: Bool

    /// `nil` for the other types.
    init?(_ type: ElementType) {
        switch type {
        case .float8E4M3FN: self.init(3, -6, 448)
        case .float8E4M3FNUZ: self.init(3, -7, 240, negativeZero: false)
        case .float8E5M2: self.init(2, -14, 57344, infinity: true)
        case .float8E5M2FNUZ: self.init(2, -15, 57344, negativeZero: false)
        case .float4E2M1: self.init(1, 0, 6, nan: false)
        default: return nil
        }
    }

    private init(
        _ fractionBits: Int, _ leastExponent: Int, _ largest: Float, infinity: Bool = false, negativeZero: Bool = true,
        nan: Bool = true
    ) {
        (self.fractionBits, self.leastExponent, self.largest) = (fractionBits, leastExponent, largest)
        (hasInfinity, hasNegativeZero, hasNaN) = (infinity, negativeZero, nan)
    }

    /// The nearest number of the format, ties to even. What is too large becomes the largest number when it saturates,
    /// else infinity, or not a number where there is none.
    func round(_ value: Float, saturates: Bool) -> Float {
        if value.isNaN { return hasNaN ? value : largest }
        let magnitude = value.magnitude
        var rounded = magnitude
        if magnitude.isFinite {
            let exponent = magnitude == 0 ? leastExponent : max(Int(magnitude.exponent), leastExponent)
            let quantum = Float(sign: .plus, exponent: exponent - fractionBits, significand: 1)
            rounded = (magnitude / quantum).rounded(.toNearestOrEven) * quantum
        }
        if rounded > largest {
            rounded = saturates || !hasNaN ? largest : hasInfinity ? .infinity : .nan
        }
        if rounded == 0, !hasNegativeZero { return 0 }
        return value.sign == .minus ? -rounded : rounded
    }

    /// A power of two (float8E8M0), upwards; the type has neither zero nor a sign.
    static func roundToPower(_ value: Float) -> Float {
        guard value.isFinite else { return value.isNaN ? value : 0x1p127 }
        guard value > 0x1p-126 else { return value > 0x1p-127 ? 0x1p-126 : 0x1p-127 }
        let power = Float(sign: .plus, exponent: Int(value.exponent), significand: 1)
        return power == value ? power : power * 2 <= 0x1p127 ? power * 2 : 0x1p127
    }
}
