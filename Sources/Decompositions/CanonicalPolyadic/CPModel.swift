internal import Glibc
internal import LinearAlgebra

/// A sum of `R` rank-one terms, `T[o, k…, i] ≈ Σ_r λ_r A[o, r]·Π_n B_n[k_n, r]·C[i, r]`, its columns of unit norm.
struct CPModel: Sendable {
    /// `λ_r ≥ 0`.
    var weights: [Double]
    /// `Cout × R`.
    var out: Matrix<Float>
    /// One `extent × R` per mode of the kernel.
    var kernel: [Matrix<Float>]
    /// `Cin × R`.
    var inner: Matrix<Float>

    var rank: Int { weights.count }
    private var modes: Int { kernel.count + 2 }

    /// `Σ λ_r²` over `‖T‖²`, 1 where the terms are orthogonal. Terms that cancel make it large; the sensitivity of Phan
    /// et al. (ECCV 2020, eq. 5), the expected change of the tensor by a unit perturbation of balanced factors, is `Σ_n
    /// I_n · Σ_r λ_r^(2(N−1)/N)` and thereby bounded with it.
    func sensitivity(squaredNorm: Double) -> Double { weights.reduce(0) { $0 + $1 * $1 } / squaredNorm }

    /// The factors with `λ_r` split evenly over the modes, and everything times `scale`: output, kernel modes, input.
    func balanced(scale: Double) -> [Matrix<Float>] {
        let shares = weights.map { root(of: $0 * scale) }
        return ([out] + kernel + [inner]).map { factor in
            var scaled = factor
            for row in 0..<factor.rows {
                for column in 0..<rank {
                    scaled[row, column] = Float(Double(factor[row, column]) * shares[column])
                }
            }
            return scaled
        }
    }

    private func root(of value: Double) -> Double {
        value > 0 ? pow(value, 1 / Double(modes)) : 0
    }

    /// The same with further terms of weight 0, their kernel and input columns random.
    func padded(to count: Int, seed: UInt64) -> CPModel {
        var generator = SeededGenerator(seed: seed)
        var copy = self
        copy.weights += [Double](repeating: 0, count: count - rank)
        copy.out = Self.padded(out, to: count) { 0 }
        copy.kernel = kernel.map { Self.padded($0, to: count) { Float(generator.normal()) } }
        copy.inner = Self.padded(inner, to: count) { Float(generator.normal()) }
        for index in copy.kernel.indices { _ = copy.kernel[index].normalizeColumns() }
        _ = copy.inner.normalizeColumns()
        return copy
    }

    static func padded(_ factor: Matrix<Float>, to count: Int, _ fill: () -> Float) -> Matrix<Float> {
        var elements: [Float] = []
        elements.reserveCapacity(factor.rows * count)
        for row in 0..<factor.rows {
            elements += factor.elements[row * factor.columns..<(row + 1) * factor.columns]
            for _ in factor.columns..<count { elements.append(fill()) }
        }
        return Matrix(rows: factor.rows, columns: count, elements: elements)
    }
}

extension Matrix<Float> {
    /// Makes each column one of norm 1 and returns the norms; a column of zeros stays.
    mutating func normalizeColumns() -> [Double] {
        var norms = [Double](repeating: 0, count: columns)
        for row in 0..<rows {
            for column in 0..<columns {
                let value = Double(elements[row * columns + column])
                norms[column] += value * value
            }
        }
        for column in 0..<columns { norms[column] = norms[column].squareRoot() }
        let inverses = norms.map { Float($0 > 0 ? 1 / $0 : 0) }
        for row in 0..<rows {
            for column in 0..<columns { elements[row * columns + column] *= inverses[column] }
        }
        return norms
    }
}
