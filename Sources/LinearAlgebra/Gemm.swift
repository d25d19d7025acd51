/// `α · A · B` as a new matrix. Throws `linear-algebra.size-mismatch` or `non-finite-output`.
///
/// The check of the output stands for one of the input: each output element is a sum over a whole row and column, and a
/// NaN or an infinity survives every product (`∞ · 0` is NaN).
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func multiply<Scalar: BLASScalar>(
    _ a: MatrixView<Scalar>, _ b: MatrixView<Scalar>, scale alpha: Scalar = 1
) throws -> Matrix<Scalar> {
    var product = Matrix<Scalar>(rows: a.rows, columns: b.columns)
    try multiply(a, b, scale: alpha, addingTo: &product, scaledBy: 0)
    return product
}

/// `C ← α · A · B + β · C`; the operands are as in `multiply(_:_:scale:)`.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func multiply<Scalar: BLASScalar>(
    _ a: MatrixView<Scalar>, _ b: MatrixView<Scalar>, scale alpha: Scalar = 1, addingTo c: inout Matrix<Scalar>,
    scaledBy beta: Scalar = 1
) throws {
    guard a.columns == b.rows, c.rows == a.rows, c.columns == b.columns else {
        throw LinearAlgebraError.sizeMismatch(
            "\(a.rows)×\(a.columns) times \(b.rows)×\(b.columns) does not give \(c.rows)×\(c.columns)")
    }
    BLAS.prepare()
    let (m, n, k) = (try blasInteger(a.rows), try blasInteger(b.columns), try blasInteger(a.columns))
    let (lda, ldb) = (try blasInteger(max(1, a.stride)), try blasInteger(max(1, b.stride)))
    if m == 0 || n == 0 { return }
    if k == 0 {
        for index in c.elements.indices { c.elements[index] *= beta }
        return
    }
    unsafe a.elements.withUnsafeBufferPointer { left in
        unsafe b.elements.withUnsafeBufferPointer { right in
            unsafe c.elements.withUnsafeMutableBufferPointer { out in
                guard let left = left.baseAddress, let right = right.baseAddress, let out = out.baseAddress else {
                    return
                }
                unsafe Scalar.uncheckedGemm(
                    transposeA: a.isTransposed, transposeB: b.isTransposed, m: m, n: n, k: k, alpha: alpha,
                    a: left + a.offset, lda: lda, b: right + b.offset, ldb: ldb, beta: beta, c: out, ldc: n)
            }
        }
    }
    guard areFinite(c.elements) else { throw LinearAlgebraError.nonFiniteOutput("a matrix product") }
}
