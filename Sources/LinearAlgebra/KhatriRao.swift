/// `[m, n, r]` from `a[m, r]` and `b[n, r]`: the columnwise Kronecker product, element `(i, j, s)` being
/// `a[i, s]·b[j, s]`.
public func khatriRao(_ a: Matrix<Float>, _ b: Matrix<Float>) throws -> Matrix<Float> {
    guard a.columns == b.columns else {
        throw LinearAlgebraError.sizeMismatch("a Khatri-Rao product of \(a.columns) and \(b.columns) columns")
    }
    let (rank, inner) = (a.columns, b.rows)
    var product = Matrix<Float>(rows: a.rows * inner, columns: rank)
    let (left, right) = (a.elements.span, b.elements.span)
    var out = product.elements.mutableSpan
    for i in 0..<a.rows {
        for j in 0..<inner {
            let (from, to) = (i * rank, (i * inner + j) * rank)
            for s in 0..<rank {
                // Both factors and the product were allocated above with these extents.
                unsafe out[unchecked: to + s] = left[unchecked: from + s] * right[unchecked: j * rank + s]
            }
        }
    }
    return product
}

/// `Σ_j t[(i, j), s]·b[j, s]` as `[m, r]`, where `t` is `[m · n, r]` and `b` is `[n, r]`.
public func contractInner(_ t: Matrix<Float>, _ b: Matrix<Float>) throws -> Matrix<Float> {
    guard t.columns == b.columns, b.rows > 0, t.rows % b.rows == 0 else {
        throw LinearAlgebraError.sizeMismatch("\(t.rows)×\(t.columns) does not divide into rows of \(b.rows)")
    }
    let (rank, inner) = (t.columns, b.rows)
    var result = Matrix<Float>(rows: t.rows / inner, columns: rank)
    let (left, right) = (t.elements.span, b.elements.span)
    var out = result.elements.mutableSpan
    for i in 0..<t.rows / inner {
        for j in 0..<inner {
            let (from, to) = ((i * inner + j) * rank, i * rank)
            for s in 0..<rank {
                // Within the extents that the guard compared.
                unsafe out[unchecked: to + s] += left[unchecked: from + s] * right[unchecked: j * rank + s]
            }
        }
    }
    return result
}

/// `Σ_i t[(i, j), s]·a[i, s]` as `[n, r]`, where `t` is `[m · n, r]` and `a` is `[m, r]`.
public func contractOuter(_ t: Matrix<Float>, _ a: Matrix<Float>) throws -> Matrix<Float> {
    guard t.columns == a.columns, a.rows > 0, t.rows % a.rows == 0 else {
        throw LinearAlgebraError.sizeMismatch("\(t.rows)×\(t.columns) does not divide into \(a.rows) blocks")
    }
    let (rank, inner) = (t.columns, t.rows / a.rows)
    var result = Matrix<Float>(rows: inner, columns: rank)
    let (left, right) = (t.elements.span, a.elements.span)
    var out = result.elements.mutableSpan
    for i in 0..<a.rows {
        for j in 0..<inner {
            let (from, to) = ((i * inner + j) * rank, j * rank)
            for s in 0..<rank {
                // Within the extents that the guard compared.
                unsafe out[unchecked: to + s] += left[unchecked: from + s] * right[unchecked: i * rank + s]
            }
        }
    }
    return result
}
