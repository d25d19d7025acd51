import Foundation
import LinearAlgebra
import Testing

@Suite struct FactorizationTests {
    @Test(
        "eigenpairs satisfy their equation, descend, and are orthonormal", arguments: [1, 2, 3, 17, 130], [0.3, 1.0])
    func eigen(_ order: Int, share: Double) throws {
        let root = normals(order, order, seed: freshSeed)
        var matrix = root
        for i in 0..<order {
            for j in 0..<order { matrix[i, j] = root[i, j] + root[j, i] }
        }
        let count = max(1, Int(Double(order) * share))
        let note: Comment = "order \(order), count \(count), seed \(freshSeed)"
        let result = try eigh(matrix, leading: count)
        let all = try eigenvalues(matrix)
        #expect(result.values == result.values.sorted(by: >), note)
        for (a, b) in zip(result.values, all) { #expect(abs(a - b) < 1e-10 * Double(order), note) }
        let image = plainProduct(result.vectors, matrix)
        var expected = result.vectors
        for i in 0..<count {
            for j in 0..<order { expected[i, j] *= result.values[i] }
        }
        #expect(distance(image, expected) < 1e-10 * Double(order), note)
        let gram = plainProduct(result.vectors, transpose(result.vectors))
        #expect(distance(gram, .identity(count)) < 1e-12 * Double(order), note)
        for i in 0..<count {
            let row = (0..<order).map { result.vectors[i, $0] }
            #expect((row.max { abs($0) < abs($1) } ?? 0) > 0, note)
        }
        #expect(abs(all.reduce(0, +) - (0..<order).reduce(0) { $0 + matrix[$1, $1] }) < 1e-9 * Double(order), note)
    }

    @Test("only the upper triangle counts")
    func triangle() throws {
        var matrix = try gramMatrix(of: normals(9, 12, seed: 3), side: .rows).mirroredUpper
        let expected = try eigenvalues(matrix)
        for i in 0..<9 {
            for j in 0..<i { matrix[i, j] = 1e6 }
        }
        #expect(try eigenvalues(matrix) == expected)
    }

    @Test("eigenvalues survive extreme scales", arguments: [1e-200, 1e-120, 1e120, 1e200])
    func scales(_ scale: Double) throws {
        var matrix = try gramMatrix(of: normals(6, 6, seed: 4), side: .rows)
        let expected = try eigenvalues(matrix)
        for index in matrix.elements.indices { matrix.elements[index] *= scale }
        for (a, b) in zip(try eigenvalues(matrix), expected) {
            #expect(abs(a / scale - b) < 1e-12 * expected[0], "scale \(scale)")
        }
    }

    @Test(
        "the SVD reproduces its matrix with orthonormal factors and the singular values it was made of",
        arguments: [(1, 1), (1, 9), (9, 1), (12, 30), (30, 12), (64, 64)], [1.0, 1e-2, 1e-5, 1e-9, 0])
    func svdProperties(_ size: (Int, Int), ratio: Double) throws {
        let (rows, columns) = size
        let side = min(rows, columns)
        let note: Comment = "\(size), smallest value \(ratio), seed \(freshSeed)"
        let values = (0..<side).map { index in
            side == 1 || ratio == 0 && index == side - 1
                ? (side == 1 ? 1 : 0) : pow(max(ratio, 1e-12), Double(index) / Double(side - 1))
        }
        let a = try matrix(rows: rows, columns: columns, singularValues: values, seed: freshSeed)
        let result = try svd(a)
        for (found, made) in zip(result.singularValues, values) { #expect(abs(found - made) < 1e-9, note) }
        #expect(distance(plainProduct(transpose(result.u), result.u), .identity(side)) < 1e-6, note)
        let v = result.vTransposed
        #expect(distance(plainProduct(v, transpose(v)), .identity(side)) < 1e-6, note)
        #expect(distance(product(result), a) < 1e-10, note)
        let part = try svd(a, rank: max(1, side / 2))
        #expect(part.u.columns == max(1, side / 2) && part.vTransposed.rows == max(1, side / 2), note)
    }

    @Test("the SVD of zeros, constants and numbers of extreme size")
    func svdDegenerate() throws {
        let zero = try svd(Matrix<Double>(rows: 4, columns: 3))
        #expect(zero.singularValues == [0, 0, 0])
        let constant = Matrix(rows: 5, columns: 7, elements: [Double](repeating: 2, count: 35))
        #expect(abs(try svd(constant).singularValues[0] - 2 * 35.0.squareRoot()) < 1e-12)
        for scale in [1e-150, 1e150] {
            var a = normals(5, 4, seed: 8)
            let expected = try svd(a).singularValues
            for index in a.elements.indices { a.elements[index] *= scale }
            for (x, y) in zip(try svd(a).singularValues, expected) { #expect(abs(x / scale - y) < 1e-10) }
        }
        #expect(try svd(Matrix<Double>(rows: 0, columns: 3)).singularValues.isEmpty)
    }

    @Test("QR gives an orthonormal and an upper triangular factor", arguments: [(1, 1), (5, 5), (40, 13), (9, 1)])
    func qrProperties(_ rows: Int, _ columns: Int) throws {
        let a = normals(rows, columns, seed: freshSeed)
        let (q, r) = try qr(a)
        let note: Comment = "\((rows, columns)), seed \(freshSeed)"
        #expect(distance(plainProduct(q, r), a) < 1e-12, note)
        #expect(distance(plainProduct(transpose(q), q), .identity(columns)) < 1e-13, note)
        for i in 0..<columns {
            #expect(r[i, i] >= 0, note)
            for j in 0..<i { #expect(r[i, j] == 0, note) }
        }
        expectCode("linear-algebra.size-mismatch", "wide") { _ = try qr(normals(2, 3, seed: 1)) }
    }

    @Test("a positive definite system is solved", arguments: [1, 2, 25])
    func solve(_ order: Int) throws {
        let s = try gramMatrix(of: normals(order, order + 10, seed: freshSeed), side: .rows).mirroredUpper
        let x = normals(3, order, seed: freshSeed &+ 1)
        var b = plainProduct(x, s)
        #expect(try solveSymmetric(s, rows: &b) == 0, "seed \(freshSeed)")
        #expect(distance(b, x) < 1e-8, "order \(order), seed \(freshSeed)")
    }

    @Test("a singular system is solved with the least ridge that makes it definite")
    func solveSingular() throws {
        let half = normals(6, 2, seed: freshSeed)
        let s = plainProduct(half, transpose(half))
        let x = plainProduct(normals(2, 2, seed: freshSeed &+ 1), transpose(half))
        let b = plainProduct(x, s)
        var solution = b
        let ridge = try solveSymmetric(s, rows: &solution)
        #expect(ridge < 1e-10, "seed \(freshSeed)")
        #expect(distance(plainProduct(solution, s), b) < 1e-4, "ridge \(ridge), seed \(freshSeed)")
        expectCode("linear-algebra.singular", "zeros") {
            var sides = Matrix<Double>(rows: 1, columns: 2)
            _ = try solveSymmetric(Matrix(rows: 2, columns: 2), rows: &sides)
        }
    }

    private func product(_ svd: SingularValueDecomposition) -> Matrix<Double> {
        var scaled = svd.u
        for i in 0..<scaled.rows {
            for j in 0..<scaled.columns { scaled[i, j] *= svd.singularValues[j] }
        }
        return plainProduct(scaled, svd.vTransposed)
    }
}
