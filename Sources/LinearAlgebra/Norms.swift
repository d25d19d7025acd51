/// `Σ x²` in double precision.
public func squaredNorm(_ elements: [Float]) -> Double { squaredNorm(elements.span) }

/// `Σ x²` in double precision, over part of an array. Eight partial sums, so that the loop is vectorized; the order of
/// the sum depends on nothing but the count.
public func squaredNorm(_ elements: Span<Float>) -> Double {
    var sums = SIMD8<Double>(repeating: 0)
    var index = 0
    while index + 8 <= elements.count {
        var values = SIMD8<Float>()
        for lane in 0..<8 { values[lane] = unsafe elements[unchecked: index + lane] }
        let wide = SIMD8<Double>(values)
        sums += wide * wide
        index += 8
    }
    var total = sums.sum()
    while index < elements.count {
        total += Double(elements[index]) * Double(elements[index])
        index += 1
    }
    return total
}

/// `Σ x²`.
public func squaredNorm(_ elements: [Double]) -> Double {
    elements.reduce(0) { $0 + $1 * $1 }
}

/// `‖A‖_F`.
public func frobeniusNorm(_ matrix: Matrix<Double>) -> Double { squaredNorm(matrix.elements).squareRoot() }

/// The largest `|x|`; 0 for none.
public func largestMagnitude(_ elements: [Double]) -> Double {
    elements.reduce(0) { max($0, abs($1)) }
}
