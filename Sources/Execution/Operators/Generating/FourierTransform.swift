/// The discrete Fourier transform of one length, in double precision: by halves for powers of two (Cooley and Tukey,
/// 1965), by its definition for other lengths.
struct FourierTransform: Sendable {
    let length: Int
    private let isInverse: Bool
    private let cosines: [Double]
    private let sines: [Double]

    /// A signal, which becomes its spectrum.
    struct Work {
        var real: [Double]
        var imaginary: [Double]
        fileprivate var sums: (real: [Double], imaginary: [Double])

        init(_ length: Int) {
            real = [Double](repeating: 0, count: length)
            imaginary = real
            sums = (real, real)
        }

        mutating func clear() {
            for index in real.indices { (real[index], imaginary[index]) = (0, 0) }
        }

        /// Fills the upper half of a spectrum whose signal is real.
        mutating func mirror() {
            let length = real.count
            imaginary[0] = 0
            if length % 2 == 0 { imaginary[length / 2] = 0 }
            for index in 1..<max(1, (length + 1) / 2) {
                (real[length - index], imaginary[length - index]) = (real[index], -imaginary[index])
            }
        }
    }

    init(length: Int, isInverse: Bool) {
        (self.length, self.isInverse) = (length, isInverse)
        let unit = 2 * Double.pi / Double(length)
        cosines = (0..<length).map { cosine(unit * Double($0)) }
        sines = (0..<length).map { (isInverse ? 1 : -1) * sine(unit * Double($0)) }
    }

    /// The first `results` numbers of the spectrum.
    func apply(_ work: inout Work, results: Int) {
        if length & (length - 1) == 0 { byHalves(&work) } else { byDefinition(&work, results) }
        guard isInverse else { return }
        for index in 0..<results {
            work.real[index] /= Double(length)
            work.imaginary[index] /= Double(length)
        }
    }

    private func byDefinition(_ work: inout Work, _ results: Int) {
        for k in 0..<results {
            var (a, b, turn) = (0.0, 0.0, 0)
            for j in 0..<length {
                a += work.real[j] * cosines[turn] - work.imaginary[j] * sines[turn]
                b += work.real[j] * sines[turn] + work.imaginary[j] * cosines[turn]
                turn += k
                if turn >= length { turn -= length }
            }
            (work.sums.real[k], work.sums.imaginary[k]) = (a, b)
        }
        for k in 0..<results { (work.real[k], work.imaginary[k]) = (work.sums.real[k], work.sums.imaginary[k]) }
    }

    private func byHalves(_ work: inout Work) {
        var reversed = 0
        for index in 1..<max(1, length) {
            var bit = length >> 1
            while reversed & bit != 0 {
                reversed ^= bit
                bit >>= 1
            }
            reversed |= bit
            if index < reversed {
                work.real.swapAt(index, reversed)
                work.imaginary.swapAt(index, reversed)
            }
        }
        var half = 1
        while half < length {
            let turn = length / (2 * half)
            for start in stride(from: 0, to: length, by: 2 * half) {
                for offset in 0..<half {
                    let (low, high) = (start + offset, start + offset + half)
                    let (c, s) = (cosines[offset * turn], sines[offset * turn])
                    let a = work.real[high] * c - work.imaginary[high] * s
                    let b = work.real[high] * s + work.imaginary[high] * c
                    (work.real[high], work.imaginary[high]) = (work.real[low] - a, work.imaginary[low] - b)
                    work.real[low] += a
                    work.imaginary[low] += b
                }
            }
            half *= 2
        }
    }
}
