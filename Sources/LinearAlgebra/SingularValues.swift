internal import COpenBLAS

/// `A ≈ U·diag(σ)·Vᵀ`, the σ descending.
public struct SingularValueDecomposition: Sendable {
    /// `m × r`, orthonormal columns.
    public var u: Matrix<Double>
    public var singularValues: [Double]
    /// `r × n`, orthonormal rows; the component of largest magnitude of each is positive.
    public var vTransposed: Matrix<Double>
}

/// The `rank` leading singular triplets (all by default).
///
/// Takes the eigenvectors of the Gram matrix of the shorter side, several times faster than LAPACK's `gesdd`. A
/// singular value `σ` then has a relative error of about `n·ε·(σ₁/σ)²/2` and the vectors derived from it deviate from
/// orthogonality by as much. Where that could exceed 1e-7 (`σ_rank < 1e-3·σ₁`), `gesdd` is used instead. Throws
/// `linear-algebra.size-mismatch`, `non-finite-input`, `no-convergence` or `non-finite-output`.
public func svd(_ matrix: Matrix<Double>, rank: Int? = nil) throws -> SingularValueDecomposition {
    let (rows, columns) = (matrix.rows, matrix.columns)
    let side = min(rows, columns)
    let count = rank ?? side
    guard (0...side).contains(count) else {
        throw LinearAlgebraError.sizeMismatch("\(count) singular triplets of \(rows)×\(columns)")
    }
    guard areFinite(matrix.elements) else { throw LinearAlgebraError.nonFiniteInput("a singular value problem") }
    if count == 0 {
        return SingularValueDecomposition(
            u: Matrix(rows: rows, columns: 0), singularValues: [], vTransposed: Matrix(rows: 0, columns: columns))
    }
    let largest = largestMagnitude(matrix.elements)
    // Beyond these the squares lose digits to underflow, or overflow.
    if (1e-100...1e100).contains(largest) {
        let eigen = try eigh(try gramMatrix(of: matrix, side: rows <= columns ? .rows : .columns), leading: count)
        let values = eigen.values.map { max(0, $0).squareRoot() }
        if values[count - 1] >= 1e-3 * values[0] {
            return try complete(matrix, eigen.vectors, values)
        }
    }
    return try directSVD(matrix, rank: count)
}

/// The other side's vectors from those of the shorter side.
private func complete(
    _ matrix: Matrix<Double>, _ vectors: Matrix<Double>, _ values: [Double]
) throws -> SingularValueDecomposition {
    var (u, v): (Matrix<Double>, Matrix<Double>)
    if matrix.rows <= matrix.columns {
        v = try multiply(vectors.view, matrix.view)
        for row in 0..<v.rows {
            for column in 0..<v.columns { v[row, column] /= values[row] }
        }
        u = vectors.transposed.matrix
    } else {
        u = try multiply(matrix.view, vectors.transposed)
        for row in 0..<u.rows {
            for column in 0..<u.columns { u[row, column] /= values[column] }
        }
        v = vectors
    }
    fixSigns(&u, &v)
    return SingularValueDecomposition(u: u, singularValues: values, vTransposed: v)
}

private func fixSigns(_ u: inout Matrix<Double>, _ v: inout Matrix<Double>) {
    let negated = v.makeLargestComponentsPositive()
    for column in negated.indices where negated[column] {
        for row in 0..<u.rows { u[row, column] = -u[row, column] }
    }
}

/// LAPACK's divide and conquer: slow, accurate to `ε·σ₁` in every value.
private func directSVD(_ matrix: Matrix<Double>, rank: Int) throws -> SingularValueDecomposition {
    BLAS.prepare()
    let (rows, columns) = (matrix.rows, matrix.columns)
    let side = min(rows, columns)
    _ = try blasInteger(rows * columns)
    // The row-major buffer is Aᵀ = V·Σ·Uᵀ to LAPACK.
    var (m, n) = (Int32(columns), Int32(rows))
    var a = matrix.elements
    var s = [Double](repeating: 0, count: side)
    var v = [Double](repeating: 0, count: columns * side)
    var u = [Double](repeating: 0, count: rows * side)
    var work = [Double](repeating: 0, count: 4 * side * side + 8 * side + 64 * (rows + columns))
    var integers = [Int32](repeating: 0, count: 8 * side)
    var workCount = try blasInteger(work.count)
    var info: Int32 = 0
    var mode = CChar(UInt8(ascii: "S"))
    var (leadingA, leadingV, leadingU) = (m, m, Int32(side))
    unsafe dgesdd_(
        &mode, &m, &n, &a, &leadingA, &s, &v, &leadingV, &u, &leadingU, &work, &workCount, &integers, &info, 1)
    try LinearAlgebraError.check(info, "dgesdd")
    guard areFinite(s), areFinite(u), areFinite(v) else { throw LinearAlgebraError.nonFiniteOutput("dgesdd") }
    var left = MatrixView(elements: u, rows: rows, columns: rank, stride: side).matrix
    var right = MatrixView(elements: v, rows: rank, columns: columns).matrix
    fixSigns(&left, &right)
    return SingularValueDecomposition(u: left, singularValues: Array(s.prefix(rank)), vTransposed: right)
}
