internal import COpenBLAS

/// Which products a Gram matrix holds.
public enum GramSide: Sendable {
    /// `A · Aᵀ`.
    case rows
    /// `Aᵀ · A`.
    case columns
}

/// The Gram matrix of a row-major `rows × columns` matrix of floats, in double precision: its upper triangle and
/// diagonal; the rest is zero. Each product of two floats is exact in double.
///
/// Time of half a product in double. Converts 256 KiB at a time, so it needs no copy of the matrix in double.
/// Throws `linear-algebra.size-mismatch`, `non-finite-input` or `non-finite-output`.
public func gramMatrix(
    of elements: [Float], offset: Int = 0, rows: Int, columns: Int, side: GramSide
) throws -> Matrix<Double> {
    guard rows >= 0, columns >= 0, offset >= 0, offset + rows * columns <= elements.count else {
        throw LinearAlgebraError.sizeMismatch("\(rows)×\(columns) at \(offset) is beyond \(elements.count) elements")
    }
    BLAS.prepare()
    let order = side == .rows ? rows : columns
    var gram = Matrix<Double>(rows: order, columns: order)
    if rows == 0 || columns == 0 { return gram }
    guard Float.areFinite(elements.span.extracting(offset..<offset + rows * columns)) else {
        throw LinearAlgebraError.nonFiniteInput("a Gram matrix")
    }
    _ = try blasInteger(order * order)
    let depth = side == .rows ? columns : rows
    // Deep enough that the update of the triangle does not dominate, and that a block stays in the second-level cache.
    let step = min(depth, max(192, 32_768 / order))
    var block = [Double](repeating: 0, count: step * order)
    for start in stride(from: 0, to: depth, by: step) {
        let count = min(step, depth - start)
        switch side {
        case .columns:
            convert(elements, at: offset + start * columns, count: count * columns, into: &block, at: 0)
        case .rows:
            for row in 0..<rows {
                convert(
                    elements, at: offset + row * columns + start, count: count, into: &block, at: row * count)
            }
        }
        unsafe cblas_dsyrk(
            CblasRowMajor, CblasUpper, side == .rows ? CblasNoTrans : CblasTrans, Int32(order), Int32(count), 1, block,
            Int32(side == .rows ? count : order), 1, &gram.elements, Int32(order))
    }
    guard areFinite(gram.elements) else { throw LinearAlgebraError.nonFiniteOutput("a Gram matrix") }
    return gram
}

/// The Gram matrix of a matrix in double: its upper triangle; errors as for floats.
public func gramMatrix(of matrix: Matrix<Double>, side: GramSide) throws -> Matrix<Double> {
    BLAS.prepare()
    let order = side == .rows ? matrix.rows : matrix.columns
    var gram = Matrix<Double>(rows: order, columns: order)
    if matrix.rows == 0 || matrix.columns == 0 { return gram }
    guard areFinite(matrix.elements) else { throw LinearAlgebraError.nonFiniteInput("a Gram matrix") }
    _ = try blasInteger(order * order)
    unsafe cblas_dsyrk(
        CblasRowMajor, CblasUpper, side == .rows ? CblasNoTrans : CblasTrans, try blasInteger(order),
        try blasInteger(side == .rows ? matrix.columns : matrix.rows), 1, matrix.elements,
        try blasInteger(matrix.columns), 0, &gram.elements, try blasInteger(order))
    guard areFinite(gram.elements) else { throw LinearAlgebraError.nonFiniteOutput("a Gram matrix") }
    return gram
}

extension Matrix {
    /// The symmetric matrix whose upper triangle is this one's.
    public var mirroredUpper: Matrix {
        precondition(rows == columns, "only a square matrix has triangles")
        var copy = self
        for row in 0..<rows {
            for column in 0..<row { copy[row, column] = copy[column, row] }
        }
        return copy
    }
}

private func convert(_ source: [Float], at from: Int, count: Int, into target: inout [Double], at to: Int) {
    let input = source.span.extracting(from..<from + count)
    var output = target.mutableSpan
    precondition(to + count <= output.count, "the block is too small")
    for index in 0..<count { unsafe output[unchecked: to + index] = Double(input[unchecked: index]) }
}
