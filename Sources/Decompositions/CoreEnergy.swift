/// The energy of a full HOSVD core by pair of ranks, `E_ab = Σ_s C_asb²`: the error of the truncation to `(r₁, r₂)` is
/// the energy outside `[0, r₁) × [0, r₂)` (METHOD §4).
struct CoreEnergy: Sendable {
    let rows: Int
    let columns: Int
    /// Energy outside `[0, a) × [0, b)` at `a · (columns + 1) + b`: sums of what is left out, never a difference from
    /// the whole, so that small errors keep their digits.
    private let outside: [Double]
    /// Energy on `max(a, b) = m`: the terms of the tied truncations.
    let tiedTerms: [Double]

    /// `energies` is row-major `rows × columns`.
    init(energies: [Double], rows: Int, columns: Int) {
        precondition(energies.count == rows * columns, "energies do not fit")
        self.rows = rows
        self.columns = columns
        let stride = columns + 1
        var below = [Double](repeating: 0, count: rows + 1)
        for row in (0..<rows).reversed() {
            below[row] = below[row + 1] + energies[row * columns..<(row + 1) * columns].reduce(0, +)
        }
        var outside = [Double](repeating: 0, count: (rows + 1) * stride)
        var right = [Double](repeating: 0, count: stride)
        var tied = [Double](repeating: 0, count: max(rows, columns))
        for column in 0..<stride { outside[column] = below[0] }
        for row in 0..<rows {
            var tail = 0.0
            for column in (0..<columns).reversed() {
                let energy = energies[row * columns + column]
                tail += energy
                right[column] += tail
                tied[max(row, column)] += energy
                outside[(row + 1) * stride + column] = right[column] + below[row + 1]
            }
            outside[(row + 1) * stride + columns] = below[row + 1]
        }
        self.outside = outside
        tiedTerms = tied
    }

    /// The squared error of the truncation to `a` rows and `b` columns of the core.
    func squaredError(_ a: Int, _ b: Int) -> Double { outside[a * (columns + 1) + b] }

    /// `Σ_ab E_ab (1 − Σ_{k: a < a_k, b < b_k} p_k)²` and its gradient `∂/∂p_k = −2 Σ_{a < a_k, b < b_k} E_ab (1 −
    /// S_ab)`.
    ///
    /// `S` is constant on the blocks between neighbouring candidate ranks, so the cost is the number of distinct `a`
    /// times that of distinct `b`, plus the number of candidates.
    func mixture(of ranks: [[Int]], probabilities: [Double]) -> (squaredError: Double, gradient: [Double]) {
        let a = Set(ranks.map { $0[0] }).sorted()
        let b = Set(ranks.map { $0[1] }).sorted()
        guard let lastA = a.last, let lastB = b.last else { return (squaredError(0, 0), []) }
        let placeA = Dictionary(uniqueKeysWithValues: a.enumerated().map { ($1, $0) })
        let placeB = Dictionary(uniqueKeysWithValues: b.enumerated().map { ($1, $0) })
        let places = ranks.map { (placeA[$0[0], default: 0], placeB[$0[1], default: 0]) }
        let stride = b.count + 1
        // Suffix sums of the probabilities, one row and column of zeros beyond the end.
        var mass = [Double](repeating: 0, count: (a.count + 1) * stride)
        for (place, probability) in zip(places, probabilities) { mass[place.0 * stride + place.1] += probability }
        for i in a.indices.reversed() {
            for j in b.indices.reversed() {
                mass[i * stride + j] +=
                    mass[(i + 1) * stride + j] + mass[i * stride + j + 1] - mass[(i + 1) * stride + j + 1]
            }
        }
        var error = squaredError(lastA, lastB)
        // Prefix sums of E·(1 − S), one row and column of zeros before the start.
        var sums = [Double](repeating: 0, count: (a.count + 1) * stride)
        for i in a.indices {
            let (fromA, toA) = (i > 0 ? a[i - 1] : 0, a[i])
            for j in b.indices {
                let (fromB, toB) = (j > 0 ? b[j - 1] : 0, b[j])
                let energy =
                    squaredError(fromA, toB) - squaredError(toA, toB) - squaredError(fromA, fromB)
                    + squaredError(toA, fromB)
                let missing = 1 - mass[i * stride + j]
                error += max(0, energy) * missing * missing
                sums[(i + 1) * stride + j + 1] =
                    max(0, energy) * missing + sums[i * stride + j + 1] + sums[(i + 1) * stride + j]
                    - sums[i * stride + j]
            }
        }
        return (error, places.map { -2 * sums[($0.0 + 1) * stride + $0.1 + 1] })
    }
}
