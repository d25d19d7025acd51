internal import COpenBLAS

/// `A = Q·R` of an `m × n` matrix with `m ≥ n`: `Q` is `m × n` with orthonormal columns, `R` upper triangular with a
/// diagonal that is not negative. Throws `linear-algebra.size-mismatch`, `non-finite-input`, …
public func qr(_ matrix: Matrix<Double>) throws -> (q: Matrix<Double>, r: Matrix<Double>) {
    let (rows, columns) = (matrix.rows, matrix.columns)
    guard rows >= columns else {
        throw LinearAlgebraError.sizeMismatch("QR of \(rows)×\(columns), which is wider than tall")
    }
    guard areFinite(matrix.elements) else { throw LinearAlgebraError.nonFiniteInput("QR") }
    if columns == 0 { return (matrix, Matrix(rows: 0, columns: 0)) }
    BLAS.prepare()
    _ = try blasInteger(rows * columns)
    // LAPACK reads the row-major buffer as Aᵀ, an n × m matrix, whose LQ is the transpose of A's QR.
    var (m, n) = (Int32(columns), Int32(rows))
    var a = matrix.elements
    var tau = [Double](repeating: 0, count: columns)
    var work = [Double](repeating: 0, count: 64 * max(columns, 1))
    var workCount = try blasInteger(work.count)
    var info: Int32 = 0
    var leading = m
    unsafe dgelqf_(&m, &n, &a, &leading, &tau, &work, &workCount, &info)
    try LinearAlgebraError.check(info, "dgelqf")
    var r = Matrix<Double>(rows: columns, columns: columns)
    for row in 0..<columns {
        for column in row..<columns { r[row, column] = a[row * columns + column] }
    }
    // `Lᵀ` in LAPACK's reading is at (column, row): the buffer's own upper triangle.
    var k = m
    var q = a
    unsafe dorglq_(&m, &n, &k, &q, &leading, tau, &work, &workCount, &info)
    try LinearAlgebraError.check(info, "dorglq")
    for row in 0..<columns where r[row, row] < 0 {
        for column in row..<columns { r[row, column] = -r[row, column] }
        for line in 0..<rows { q[line * columns + row] = -q[line * columns + row] }
    }
    guard areFinite(q), areFinite(r.elements) else { throw LinearAlgebraError.nonFiniteOutput("QR") }
    return (Matrix(rows: rows, columns: columns, elements: q), r)
}
