internal import COpenBLAS

/// The rows `x` of `X·(S + μI) = B`, `S` symmetric and positive semidefinite (its upper triangle is read), by Cholesky.
///
/// `ridge` is `μ` as a share of the mean of `S`'s diagonal. Where `S + μI` is not positive definite to working
/// precision, `μ` grows tenfold from 1e-14 until it is, which bounds the solution; returns the share that was used.
/// Throws `linear-algebra.size-mismatch`, `non-finite-input`, `singular` or `non-finite-output`.
public func solveSymmetric(
    _ matrix: Matrix<Double>, rows rightSides: inout Matrix<Double>, ridge: Double = 0
) throws -> Double {
    let order = matrix.rows
    guard matrix.columns == order, rightSides.columns == order else {
        throw LinearAlgebraError.sizeMismatch(
            "\(rightSides.rows)×\(rightSides.columns) cannot be solved with \(matrix.rows)×\(matrix.columns)")
    }
    guard areFinite(matrix.elements), areFinite(rightSides.elements), ridge.isFinite, ridge >= 0 else {
        throw LinearAlgebraError.nonFiniteInput("a linear system")
    }
    if order == 0 || rightSides.rows == 0 { return ridge }
    BLAS.prepare()
    let mean = (0..<order).reduce(0) { $0 + matrix[$1, $1] } / Double(order)
    guard mean > 0 else {
        throw LinearAlgebraError(code: "linear-algebra.singular", message: "a linear system with a matrix of zeros")
    }
    var n = try blasInteger(order)
    _ = try blasInteger(order * order)
    var (triangle, leading) = (CChar(UInt8(ascii: "L")), n)
    var share = ridge
    while share <= 1 {
        var factor = matrix.elements
        for index in 0..<order { factor[index * (order + 1)] += share * mean }
        var info: Int32 = 0
        unsafe dpotrf_(&triangle, &n, &factor, &leading, &info, 1)
        if info == 0 {
            var count = try blasInteger(rightSides.rows)
            var leadingB = n
            unsafe dpotrs_(
                &triangle, &n, &count, factor, &leading, &rightSides.elements, &leadingB, &info, 1)
            try LinearAlgebraError.check(info, "dpotrs")
            guard areFinite(rightSides.elements) else { throw LinearAlgebraError.nonFiniteOutput("dpotrs") }
            return share
        }
        if info < 0 { try LinearAlgebraError.check(info, "dpotrf") }
        share = max(1e-14, share * 10)
    }
    throw LinearAlgebraError(
        code: "linear-algebra.singular", message: "a linear system that is not positive semidefinite")
}
