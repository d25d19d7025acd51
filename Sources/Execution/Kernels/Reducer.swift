internal import CKernels
internal import Glibc

/// What a reduction computes of a set of elements: a sum of something or an extreme, and what is made of it.
enum Reduction: String, Sendable, CaseIterable {
    case sum, mean, maximum, minimum, product, l1, l2, logSum, logSumExp, sumOfSquares

    /// How elements are gathered. The rest is done to the gathered number.
    enum Gathering: Sendable {
        case sum, magnitudes, squares, product, maximum, minimum
    }

    var gathering: Gathering {
        switch self {
        case .sum, .mean, .logSum, .logSumExp: .sum
        case .l1: .magnitudes
        case .l2, .sumOfSquares: .squares
        case .product: .product
        case .maximum: .maximum
        case .minimum: .minimum
        }
    }

    /// From what is gathered of `count` elements to the result.
    func finish(_ gathered: Double, _ count: Int) -> Double {
        switch self {
        case .mean: gathered / Double(count)
        case .l2: gathered.squareRoot()
        case .logSum: log(gathered)
        default: gathered
        }
    }
}

extension Reduction.Gathering {
    /// Of no elements.
    var neutral: Double {
        switch self {
        case .sum, .magnitudes, .squares: 0
        case .product: 1
        case .maximum: -.infinity
        case .minimum: .infinity
        }
    }

    /// What an element counts.
    func term(_ x: Double) -> Double {
        switch self {
        case .magnitudes: x.magnitude
        case .squares: x * x
        default: x
        }
    }

    /// Not-a-number is kept.
    func combine(_ a: Double, _ b: Double) -> Double {
        switch self {
        case .sum, .magnitudes, .squares: a + b
        case .product: a * b
        case .maximum: a > b || a.isNaN ? a : b
        case .minimum: a < b || a.isNaN ? a : b
        }
    }

    /// Of `count` neighbours in single precision.
    @unsafe func gather(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
        switch self {
        case .sum: return unsafe rene_sum(x, count)
        case .magnitudes: return unsafe rene_sum_of_magnitudes(x, count)
        case .squares: return unsafe rene_sum_of_squares(x, count)
        case .maximum: return Double(unsafe rene_max_of(x, count))
        case .minimum: return Double(unsafe rene_min_of(x, count))
        case .product:
            var product = 1.0
            for index in 0..<count { unsafe product *= Double(x[index]) }
            return product
        }
    }

    /// Gathers `rows` rows of `count` neighbours element by element into `y`.
    @unsafe func gather(into y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, rows: Int, _ count: Int) {
        switch self {
        case .sum: unsafe rene_add_sum_of_rows(y, x, rows, count)
        case .maximum: for row in 0..<rows { unsafe rene_max(y, y, x + row * count, count) }
        case .minimum: for row in 0..<rows { unsafe rene_min(y, y, x + row * count, count) }
        case .product: for row in 0..<rows { unsafe rene_mul(y, y, x + row * count, count) }
        case .squares: for row in 0..<rows { unsafe rene_multiply_add(y, x + row * count, x + row * count, y, count) }
        case .magnitudes:
            for row in 0..<rows {
                let from = unsafe x + row * count
                for index in 0..<count { unsafe y[index] += from[index].magnitude }
            }
        }
    }

    /// Joins what parts have gathered.
    @unsafe func join(into y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ count: Int) {
        switch self {
        case .sum, .magnitudes, .squares: unsafe rene_add(y, y, x, count)
        case .product: unsafe rene_mul(y, y, x, count)
        case .maximum: unsafe rene_max(y, y, x, count)
        case .minimum: unsafe rene_min(y, y, x, count)
        }
    }
}
