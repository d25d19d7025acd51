internal import ConverterKit

/// Window functions and mel filters, of sizes that are known.
enum WindowOperators {
    static let all = [hann, hamming, blackman, melWeightMatrix]

    /// `½ - ½·cos(2πi/N)`
    static let hann = Operator("HannWindow") { try window($0, [0.5, 0.5, 0]) }
    /// `25/46 - 21/46·cos(2πi/N)`
    static let hamming = Operator("HammingWindow") { try window($0, [25.0 / 46, 21.0 / 46, 0]) }
    /// `0.42 - 0.5·cos(2πi/N) + 0.08·cos(4πi/N)`
    static let blackman = Operator("BlackmanWindow") { try window($0, [0.42, 0.5, 0.08]) }

    private static func window(_ preparation: Preparation, _ weights: [Double]) throws -> Prepared {
        guard let size = try preparation.integers(0)?.first, size >= 0 else {
            throw ExecutionError.missingInput("size of \(preparation.operation)")
        }
        _ = try [size].elementCount()
        let period = Double(preparation.attributes.flag("periodic", otherwise: true) ? size : max(1, size - 1))
        return try known([size], preparation) { index in
            let angle = 2 * Double.pi * Double(index) / period
            return weights[0] - weights[1] * cosine(angle) + weights[2] * cosine(2 * angle)
        }
    }

    /// Numbers that do not depend on any input, in the type that `output_datatype` states.
    private static func known(_ shape: [Int], _ preparation: Preparation, _ value: @escaping (Int) -> Double) throws
        -> Prepared
    {
        let type = try preparation.attributes.elementType("output_datatype") ?? .float32
        let fact = TensorFact(type: type, shape: shape)
        func make<T: Element>(_: T.Type) -> Prepared {
            Prepared([fact]) { arguments in
                let to = unsafe arguments.output(0, T.self)
                for index in 0..<fact.count { unsafe to[index] = T(clamping: value(index)) }
            }
        }
        guard let element = type.storage?.element else {
            throw ExecutionError.type("\(preparation.operation) of \(type)")
        }
        var prepared = make(element)
        prepared.isConstant = true
        return prepared
    }

    /// Triangular filters, evenly spaced in mels, from the bins of a spectrum: `[dft_length / 2 + 1, num_mel_bins]`.
    static let melWeightMatrix = Operator("MelWeightMatrix") { preparation in
        let numbers = try (0..<5).map { index -> Double in
            guard let number = try preparation.content(index)?.doubles().first else {
                throw ExecutionError.missingInput("number \(index) of MelWeightMatrix")
            }
            return number
        }
        let (length, rate) = (numbers[1], numbers[2])
        guard numbers.allSatisfy({ $0.isFinite && $0 >= 0 }), numbers[0] < 0x1p20, length < 0x1p30, rate >= 1 else {
            throw ExecutionError.shape("MelWeightMatrix of \(numbers)")
        }
        let (filters, bins) = (Int(numbers[0]), Int(length) / 2 + 1)
        _ = try [filters, bins].elementCount()
        let mels = numbers[3...4].map { 2595 * logarithm(1 + $0 / 700) / logarithm(10) }
        let step = (mels[1] - mels[0]) / Double(filters + 2)
        let edges = (0..<filters + 2).map { index -> Int in
            let hertz = 700 * (exponential((mels[0] + Double(index) * step) / 2595 * logarithm(10)) - 1)
            return Int(min(max(((length + 1) * hertz / rate).rounded(.down), 0), 0x1p31))
        }
        return try known([bins, filters], preparation) { index in
            let (bin, filter) = (index / filters, index % filters)
            let (low, centre, high) = (edges[filter], edges[filter + 1], edges[filter + 2])
            if bin >= centre, bin < high { return Double(high - bin) / Double(high - centre) }
            if low == centre { return bin == centre ? 1 : 0 }
            return bin >= low && bin <= centre ? Double(bin - low) / Double(centre - low) : 0
        }
    }
}
