/// The errors of nested truncations: the approximation of rank `r` keeps the terms below `r`, and `‖W − Ŵ(r)‖² = Σ_{j ≥
/// r} e_j`. For an SVD the `e_j` are the squared singular values; for a tied TT the energies of the core on `max(a, b)
/// = j` (METHOD §4).
struct NestedSpectrum: Sendable {
    /// `tails[r] = Σ_{j ≥ r} e_j`, summed from the small end so that small tails keep their digits.
    let tails: [Double]

    init(terms: [Double]) {
        var tails = [Double](repeating: 0, count: terms.count + 1)
        for index in terms.indices.reversed() { tails[index] = tails[index + 1] + max(0, terms[index]) }
        self.tails = tails
    }

    var largestRank: Int { tails.count - 1 }

    /// `‖W − Σ_k p_k Ŵ(r_k)‖² = Σ_j e_j (1 − c_j)²`, `c_j = Σ_{k: r_k > j} p_k`, and its gradient
    /// `∂/∂p_k = −2 Σ_{j < r_k} e_j (1 − c_j)`. O(|R| log |R|): `c` is constant between neighbouring candidates.
    func mixture(of ranks: [Int], probabilities: [Double]) -> (squaredError: Double, gradient: [Double]) {
        let order = ranks.indices.sorted { ranks[$0] < ranks[$1] }
        var mass = probabilities.reduce(0, +)
        var error = 0.0
        var sum = 0.0
        var gradient = [Double](repeating: 0, count: ranks.count)
        var previous = 0
        for index in order {
            let energy = tails[previous] - tails[ranks[index]]
            error += energy * (1 - mass) * (1 - mass)
            sum += energy * (1 - mass)
            gradient[index] = -2 * sum
            mass -= probabilities[index]
            previous = ranks[index]
        }
        // Beyond the largest candidate nothing is represented.
        return (error + tails[previous], gradient)
    }
}

/// The analysis of a decomposition with one rank and nested truncations.
struct SpectrumAnalysis: RankAnalysis {
    let decomposition: String
    let squaredNorm: Double
    let spectrum: NestedSpectrum

    func squaredError(ranks: [Int]) throws -> Double {
        try checkRanks(ranks, largest: [spectrum.largestRank], of: decomposition)
        return spectrum.tails[ranks[0]]
    }

    func mixture(of ranks: [[Int]], probabilities: [Double]) throws -> (squaredError: Double, gradient: [Double])? {
        try checkMixture(ranks, probabilities, largest: [spectrum.largestRank], of: decomposition)
        return spectrum.mixture(of: ranks.map { $0[0] }, probabilities: probabilities)
    }
}

func checkMixture(_ ranks: [[Int]], _ probabilities: [Double], largest: [Int], of id: String) throws {
    guard ranks.count == probabilities.count, probabilities.allSatisfy(\.isFinite) else {
        throw DecompositionError(
            code: "decomposition.size-mismatch",
            message: "\(ranks.count) candidates of \(id) need as many finite probabilities")
    }
    for candidate in ranks { try checkRanks(candidate, largest: largest, of: id) }
}
