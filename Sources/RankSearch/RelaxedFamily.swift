/// One family of a relaxed layer (`RelaxedLoss`): `m` candidates.
struct RelaxedFamily: Sendable {
    /// `‖W − Ŵ_r‖² / ‖W‖²`.
    let errors: [Double]
    /// Shares of the model, resource after resource.
    let shares: [Double]
    /// `⟨W − Ŵ_r, W − Ŵ_s⟩ / ‖W‖²`, row after row, each padded to whole vectors; empty without a closed form: then the
    /// mixture's error is its bound `Σ p e`.
    private let products: [SIMD8<Double>]
    /// Vectors to a row.
    private let width: Int

    /// `products`: row-major `m × m`, or empty.
    init(errors: [Double], products: [Double], shares: [Double]) {
        self.errors = errors
        self.shares = shares
        let count = errors.count
        let width = (count + 7) / 8
        self.width = width
        guard !products.isEmpty else {
            self.products = []
            return
        }
        var padded = [SIMD8<Double>](repeating: .zero, count: count * width)
        for row in 0..<count {
            for column in 0..<count {
                padded[row * width + column / 8][column % 8] = products[row * count + column]
            }
        }
        self.products = padded
    }

    /// `M(p)`; leaves `∂M/∂p` in the gradient.
    func mixture(_ range: Range<Int>, _ point: inout RelaxedLoss.Point) -> Double {
        guard !products.isEmpty else {
            for option in errors.indices { point.gradient[range.lowerBound + option] = errors[option] }
            return expectation(of: errors, range, point.probabilities)
        }
        var vectors = [SIMD8<Double>](repeating: .zero, count: width)
        for option in errors.indices {
            vectors[option / 8][option % 8] = point.probabilities[range.lowerBound + option]
        }
        var sum = 0.0
        for row in errors.indices {
            var products = SIMD8<Double>.zero
            let start = row * width
            for chunk in 0..<width { products += self.products[start + chunk] * vectors[chunk] }
            let slope = products.sum()
            sum += point.probabilities[range.lowerBound + row] * slope
            point.gradient[range.lowerBound + row] = 2 * slope
        }
        return sum
    }

    func expectation(of values: [Double], _ range: Range<Int>, _ probabilities: [Double]) -> Double {
        var sum = 0.0
        for option in values.indices { sum += probabilities[range.lowerBound + option] * values[option] }
        return sum
    }

    /// Expected share of one resource.
    func share(_ lower: Int, _ resource: Int, _ probabilities: [Double]) -> Double {
        var sum = 0.0
        let start = resource * errors.count
        for option in errors.indices { sum += probabilities[lower + option] * shares[start + option] }
        return sum
    }
}
