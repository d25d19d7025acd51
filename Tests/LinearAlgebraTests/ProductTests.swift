import LinearAlgebra
import Testing

@Suite struct ProductTests {
    @Test("a product agrees with plain loops, transposed or not", arguments: [(1, 1, 1), (3, 5, 7), (33, 17, 65)])
    func products(_ m: Int, _ n: Int, _ k: Int) throws {
        for (flipA, flipB) in [(false, false), (true, false), (false, true), (true, true)] {
            let a = normals(m, k, seed: freshSeed)
            let b = normals(k, n, seed: freshSeed &+ 1)
            let left = flipA ? transpose(a).transposed : a.view
            let right = flipB ? transpose(b).transposed : b.view
            let product = try multiply(left, right)
            #expect(distance(product, plainProduct(a, b)) < 1e-11, "\((m, n, k, flipA, flipB)), seed \(freshSeed)")
            #expect(distance(left.matrix, a) == 0)
        }
    }

    @Test("a product of rectangles within arrays scales and accumulates")
    func accumulation() throws {
        let a = normals(6, 8, seed: freshSeed)
        let part = MatrixView(elements: a.elements, offset: 10, rows: 3, columns: 4, stride: 8)
        var copy = Matrix<Double>(rows: 3, columns: 4)
        for i in 0..<3 {
            for j in 0..<4 { copy[i, j] = a[i + 1, j + 2] }
        }
        var c = normals(3, 3, seed: freshSeed &+ 2)
        var expected = plainProduct(copy, transpose(copy))
        for index in expected.elements.indices {
            expected.elements[index] = 2 * expected.elements[index] - 3 * c.elements[index]
        }
        try multiply(part, part.transposed, scale: 2, addingTo: &c, scaledBy: -3)
        #expect(distance(c, expected) < 1e-11, "seed \(freshSeed)")
    }

    @Test("a product without depth is zero, one without rows is empty")
    func empty() throws {
        let product = try multiply(Matrix<Double>(rows: 2, columns: 0).view, Matrix<Double>(rows: 0, columns: 3).view)
        #expect(product.elements == [Double](repeating: 0, count: 6))
        #expect(
            try multiply(Matrix<Float>(rows: 0, columns: 2).view, Matrix<Float>(rows: 2, columns: 3).view).rows == 0)
    }

    @Test("sizes that do not fit are refused")
    func sizes() {
        expectCode("linear-algebra.size-mismatch", "2×3 times 2×3") {
            _ = try multiply(normals(2, 3, seed: 1).view, normals(2, 3, seed: 1).view)
        }
        expectCode("linear-algebra.size-mismatch", "Gram beyond the array") {
            _ = try gramMatrix(of: [1, 2, 3], rows: 2, columns: 2, side: .rows)
        }
    }

    @Test(
        "the Gram matrix of floats is that of the same numbers in double",
        arguments: [(1, 1), (7, 500), (500, 7), (40, 900), (300, 260)], [GramSide.rows, .columns])
    func gram(_ size: (Int, Int), _ side: GramSide) throws {
        let (rows, columns) = size
        var generator = SeededGenerator(seed: freshSeed)
        let floats = generator.normals(rows * columns + 5)
        let wide = Matrix(rows: rows, columns: columns, elements: floats.dropFirst(5).map(Double.init))
        let gram = try gramMatrix(of: floats, offset: 5, rows: rows, columns: columns, side: side).mirroredUpper
        let expected = side == .rows ? plainProduct(wide, transpose(wide)) : plainProduct(transpose(wide), wide)
        #expect(distance(gram, expected) < 1e-10, "\(size), \(side), seed \(freshSeed)")
        #expect(distance(try gramMatrix(of: wide, side: side).mirroredUpper, expected) < 1e-10)
    }

    @Test("Khatri-Rao products and contractions agree with their definitions")
    func khatriRaoProducts() throws {
        var generator = SeededGenerator(seed: freshSeed)
        let (m, n, r) = (5, 4, 11)
        let a = Matrix(rows: m, columns: r, elements: generator.normals(m * r))
        let b = Matrix(rows: n, columns: r, elements: generator.normals(n * r))
        let t = Matrix(rows: m * n, columns: r, elements: generator.normals(m * n * r))
        let product = try khatriRao(a, b)
        let (inner, outer) = (try contractInner(t, b), try contractOuter(t, a))
        for s in 0..<r {
            for i in 0..<m {
                let expected = (0..<n).reduce(Float(0)) { $0 + t[i * n + $1, s] * b[$1, s] }
                #expect(abs(inner[i, s] - expected) < 1e-5, "seed \(freshSeed)")
                for j in 0..<n { #expect(product[i * n + j, s] == a[i, s] * b[j, s]) }
            }
            for j in 0..<n {
                let expected = (0..<m).reduce(Float(0)) { $0 + t[$1 * n + j, s] * a[$1, s] }
                #expect(abs(outer[j, s] - expected) < 1e-5, "seed \(freshSeed)")
            }
        }
        expectCode("linear-algebra.size-mismatch", "other columns") {
            _ = try khatriRao(a, Matrix(rows: 2, columns: 3))
        }
    }

    @Test(
        "exchanging the last two axes moves each element to its place", arguments: [(1, 1, 1), (3, 70, 9), (2, 1, 5)])
    func exchange(_ a: Int, _ b: Int, _ c: Int) throws {
        let elements = (0..<a * b * c + 3).map(Float.init)
        let result = try exchangingLastAxes(elements, offset: 3, a, b, c)
        for i in 0..<a {
            for j in 0..<b {
                for k in 0..<c { #expect(result[(i * c + k) * b + j] == elements[3 + (i * b + j) * c + k]) }
            }
        }
    }

    @Test("norms agree with plain sums", arguments: [0, 1, 7, 8, 9, 1000])
    func norms(_ count: Int) {
        var generator = SeededGenerator(seed: freshSeed)
        let values = generator.normals(count)
        let expected = values.reduce(0.0) { $0 + Double($1) * Double($1) }
        #expect(abs(squaredNorm(values) - expected) <= 1e-12 * expected, "seed \(freshSeed)")
        #expect(abs(squaredNorm(values.map(Double.init)) - expected) <= 1e-12 * expected)
    }
}
