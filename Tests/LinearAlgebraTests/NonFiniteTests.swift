import LinearAlgebra
import Testing

/// LAPACK never returns from some of these, or returns NaN with INFO = 0 (Reference-LAPACK#1409).
@Suite struct NonFiniteTests {
    static let values = [Double.nan, .infinity, -.infinity]

    @Test("every routine refuses NaN and infinity at each position, without delay", arguments: values)
    func eachPosition(_ value: Double) {
        let clock = ContinuousClock()
        let (rows, columns) = (6, 5)
        let time = clock.measure {
            for position in 0..<rows * columns {
                let note = "\(value) at \(position)"
                var wide = normals(rows, columns, seed: 5)
                wide.elements[position] = value
                let floats = wide.elements.map(Float.init)
                expectCode("linear-algebra.non-finite-input", note) { _ = try svd(wide) }
                expectCode("linear-algebra.non-finite-input", note) { _ = try qr(wide) }
                expectCode("linear-algebra.non-finite-input", note) { _ = try gramMatrix(of: wide, side: .rows) }
                expectCode("linear-algebra.non-finite-input", note) {
                    _ = try gramMatrix(of: floats, rows: rows, columns: columns, side: .columns)
                }
                expectCode("linear-algebra.non-finite-output", note) { _ = try multiply(wide.view, wide.transposed) }
                guard position < columns * columns else { continue }
                let square = MatrixView(elements: wide.elements, rows: columns, columns: columns).matrix
                expectCode("linear-algebra.non-finite-input", note) { _ = try eigh(square) }
                expectCode("linear-algebra.non-finite-input", note) { _ = try eigenvalues(square) }
                expectCode("linear-algebra.non-finite-input", note) {
                    var sides = normals(2, columns, seed: 6)
                    _ = try solveSymmetric(square, rows: &sides)
                }
                expectCode("linear-algebra.non-finite-input", note) {
                    var sides = square
                    _ = try solveSymmetric(.identity(columns), rows: &sides)
                }
            }
        }
        #expect(time < .seconds(10))
    }

    @Test("the check of finiteness finds each kind at each position and nothing else", arguments: 1...40)
    func finiteness(_ count: Int) {
        let edges: [Float] = [0, -0, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude]
        let fine = (0..<count).map { edges[$0 % edges.count] }
        #expect(areFinite(fine) && areFinite(fine.map(Double.init)))
        #expect(areFinite([Double.greatestFiniteMagnitude, -.leastNonzeroMagnitude]))
        for position in 0..<count {
            for value in [Float.nan, .signalingNaN, .infinity, -.infinity] {
                var broken = fine
                broken[position] = value
                #expect(!areFinite(broken), "\(value) at \(position) of \(count)")
                #expect(!areFinite(broken.map(Double.init)), "\(value) at \(position) of \(count)")
            }
        }
    }

    @Test("a product that overflows is an error")
    func overflow() {
        let huge = Matrix<Float>(rows: 1, columns: 1, elements: [.greatestFiniteMagnitude])
        expectCode("linear-algebra.non-finite-output", "overflow") { _ = try multiply(huge.view, huge.view) }
    }
}
