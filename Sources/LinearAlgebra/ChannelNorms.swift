/// The squared norm of each row of a row-major `rows × width` matrix.
public func squaredRowNorms(_ elements: [Float], rows: Int, width: Int) -> [Double] {
    precondition(elements.count == rows * width, "the elements do not make the rows")
    return (0..<rows).map { squaredNorm(elements.span.extracting($0 * width..<($0 + 1) * width)) }
}

/// Adds to `norms` the squared norm of each of the `columns` columns of `run` elements in the rows
/// `rows` of a row-major matrix, each row multiplied by its scale.
public func addSquaredColumnNorms(
    of elements: [Float], rows: Range<Int>, columns: Int, run: Int, rowScales: [Float], to norms: inout [Double],
    at first: Int
) {
    let width = columns * run
    precondition(rows.upperBound * width <= elements.count && rows.upperBound <= rowScales.count, "too few elements")
    precondition(first + columns <= norms.count, "too few columns")
    unsafe elements.withUnsafeBufferPointer { elements in
        unsafe norms.withUnsafeMutableBufferPointer { norms in
            for row in rows {
                let scale = rowScales[row]
                var index = row * width
                for column in first..<first + columns {
                    var sum: Float = 0
                    for _ in 0..<run {
                        let value = unsafe elements[index] * scale
                        sum += value * value
                        index += 1
                    }
                    unsafe norms[column] += Double(sum)
                }
            }
        }
    }
}

/// Multiplies each element of the row-major `[rows, columns, run]` matrix from row `rows.lowerBound` on by its row's and
/// its column's scale.
public func scaleChannels(
    of elements: inout [Float], rows: Range<Int>, columns: Int, run: Int, rowScales: [Float]?, columnScales: [Float]?,
    at first: Int
) {
    let width = columns * run
    precondition(rows.upperBound * width <= elements.count, "too few elements")
    precondition(rowScales.map { rows.upperBound <= $0.count } ?? true, "too few row scales")
    precondition(columnScales.map { first + columns <= $0.count } ?? true, "too few column scales")
    // One scale to an element of a row: the inner loop is then a product of two vectors.
    var pattern = [Float](repeating: 1, count: width)
    if let columnScales {
        for index in 0..<width { pattern[index] = columnScales[first + index / run] }
    }
    unsafe elements.withUnsafeMutableBufferPointer { elements in
        unsafe pattern.withUnsafeBufferPointer { pattern in
            for row in rows {
                let scale = rowScales?[row] ?? 1
                let start = row * width
                for index in 0..<width { unsafe elements[start + index] *= pattern[index] * scale }
            }
        }
    }
}
