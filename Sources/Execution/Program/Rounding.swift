internal import ConverterKit

/// Rounds what a kernel has computed in single precision to the smaller type that the value is of.
enum Rounding {
    static func isNeeded(_ type: ElementType) -> Bool { type == .float16 || type == .bfloat16 }

    /// `count` elements of the type's storage at `memory`; types that are not rounded stay.
    @unsafe static func round(_ memory: UnsafeMutableRawPointer, count: Int, type: ElementType) {
        let elements = unsafe memory.assumingMemoryBound(to: Float.self)
        switch type {
        case .float16:
            for index in 0..<count { unsafe elements[index] = Float(Float16(elements[index])) }
        case .bfloat16:
            for index in 0..<count {
                unsafe elements[index] = bfloat16(elements[index])
            }
        default: break
        }
    }

    /// The nearest number of eight significant bits, ties to even; NaN stays NaN.
    static func bfloat16(_ value: Float) -> Float {
        let bits = value.bitPattern
        if value.isNaN { return value }
        return Float(bitPattern: (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000)
    }
}
