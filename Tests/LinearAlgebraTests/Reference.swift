import LinearAlgebra
import Testing

/// A matrix of normal deviates.
func normals(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix<Double> {
    var generator = SeededGenerator(seed: seed)
    return Matrix(rows: rows, columns: columns, elements: (0..<rows * columns).map { _ in generator.normal() })
}

/// The product by plain loops.
func plainProduct(_ a: Matrix<Double>, _ b: Matrix<Double>) -> Matrix<Double> {
    var product = Matrix<Double>(rows: a.rows, columns: b.columns)
    for i in 0..<a.rows {
        for j in 0..<b.columns {
            for k in 0..<a.columns { product[i, j] += a[i, k] * b[k, j] }
        }
    }
    return product
}

func transpose(_ a: Matrix<Double>) -> Matrix<Double> {
    var result = Matrix<Double>(rows: a.columns, columns: a.rows)
    for i in 0..<a.rows {
        for j in 0..<a.columns { result[j, i] = a[i, j] }
    }
    return result
}

/// The largest difference of two elements; infinite for different sizes or a NaN.
func distance(_ a: Matrix<Double>, _ b: Matrix<Double>) -> Double {
    guard a.rows == b.rows, a.columns == b.columns else { return .infinity }
    return zip(a.elements, b.elements).reduce(0) { largest, pair in
        let difference = abs(pair.0 - pair.1)
        return difference.isNaN ? .infinity : max(largest, difference)
    }
}

/// An orthogonal matrix.
func rotation(_ order: Int, seed: UInt64) throws -> Matrix<Double> { try qr(normals(order, order, seed: seed)).q }

/// `U·diag(values)·Vᵀ` with random orthogonal `U` and `V`.
func matrix(rows: Int, columns: Int, singularValues: [Double], seed: UInt64) throws -> Matrix<Double> {
    let (u, v) = (try rotation(rows, seed: seed), try rotation(columns, seed: seed &+ 1))
    var middle = Matrix<Double>(rows: rows, columns: columns)
    for (index, value) in singularValues.enumerated() { middle[index, index] = value }
    return plainProduct(plainProduct(u, middle), transpose(v))
}

/// Records an issue unless `body` throws an error with this code.
func expectCode(_ code: String, _ note: String, _ body: () throws -> Void) {
    do {
        try body()
        Issue.record("no error where \(code) was expected: \(note)")
    } catch let error as LinearAlgebraError {
        #expect(error.code == code, "\(note)")
    } catch {
        Issue.record("\(error) instead of \(code): \(note)")
    }
}

/// A seed that differs from run to run, for properties that hold for any; failures print it.
let freshSeed = UInt64.random(in: 0...UInt64.max)
