internal import Glibc

/// A seeded generator, xoshiro256** (Blackman and Vigna, 2021) with its state filled by SplitMix64: the same numbers
/// for the same seed on every machine.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)
    private var spare: Double?

    public init(seed: UInt64) {
        var word = seed
        func next() -> UInt64 {
            word &+= 0x9e37_79b9_7f4a_7c15
            var mixed = word
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
        state = (next(), next(), next(), next())
    }

    public mutating func next() -> UInt64 {
        let result = rotate(state.1 &* 5, 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = rotate(state.3, 45)
        return result
    }

    /// Uniform in [0, 1), 53 bits.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Normal with mean 0 and variance 1, by Marsaglia's polar method.
    public mutating func normal() -> Double {
        if let value = spare {
            spare = nil
            return value
        }
        while true {
            let (x, y) = (2 * uniform() - 1, 2 * uniform() - 1)
            let square = x * x + y * y
            if square > 0, square < 1 {
                let factor = (-2 * log(square) / square).squareRoot()
                spare = y * factor
                return x * factor
            }
        }
    }

    /// `count` normal deviates.
    public mutating func normals(_ count: Int) -> [Float] { (0..<count).map { _ in Float(normal()) } }

    private func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 { (word << count) | (word >> (64 - count)) }
}
