import ConverterKit
import LinearAlgebra
import Testing

@testable import Execution

@Suite("Matrix products on raw memory")
struct MatrixProductTests {
    struct Case: Sendable {
        var m: Int
        var n: Int
        var k: Int
        var transposesA: Bool
        var transposesB: Bool
    }

    private static let sizes = [
        (1, 1, 1), (3, 5, 7), (1, 70, 130), (130, 1, 70), (65, 300, 20), (200, 33, 64), (4, 6, 0),
    ]
    private static let forms = [(false, false), (true, false), (false, true), (true, true)]
    static let cases: [Case] = sizes.flatMap { size in
        forms.map {
            Case(m: size.0, n: size.1, k: size.2, transposesA: $0.0, transposesB: $0.1)
        }
    }

    @Test("results are those of plain loops, with what was there before scaled", arguments: cases, [1, 2])
    func plainLoops(_ one: Case, threads: Int) throws {
        try check(one, threads, Float.self, .float32, tolerance: 1e-4)
        try check(one, threads, Double.self, .float64, tolerance: 1e-11)
        try check(one, threads, Int32.self, .int32, tolerance: 0)
    }

    private func check<T: Element>(
        _ one: Case, _ threads: Int, _: T.Type, _ type: ElementType, tolerance: Double
    ) throws {
        let (batch, gap) = (3, 2)
        var random = SeededGenerator(seed: 11)
        func draw(_ count: Int) throws -> TensorValue {
            try TensorValue(
                elements: (0..<count).map { _ in T(clamping: random.normal() * 4) }, shape: [count], type: type)
        }
        let (lda, ldb, ldc) = (
            (one.transposesA ? one.m : one.k) + gap, (one.transposesB ? one.k : one.n) + gap, one.n + gap
        )
        let aCount = (one.transposesA ? one.k : one.m) * lda
        let bCount = (one.transposesB ? one.n : one.k) * ldb
        let cCount = one.m * ldc
        let (a, b, c) = (try draw(batch * aCount), try draw(batch * bCount), try draw(batch * cCount))
        let (left, right, before) = (try a.doubles(), try b.doubles(), try c.doubles())
        for (alpha, beta) in [(1.0, 0.0), (2.0, 3.0)] {
            let product = try MatrixProduct(
                m: one.m, n: one.n, k: one.k, transposesA: one.transposesA, transposesB: one.transposesB, lda: lda,
                ldb: ldb, ldc: ldc, alpha: alpha, beta: beta)
            let found = try TensorValue(elements: c.elements(T.self), shape: c.shape, type: type)
            unsafe product.run(
                a.buffer.base.assumingMemoryBound(to: T.self), b.buffer.base.assumingMemoryBound(to: T.self),
                into: found.buffer.base.assumingMemoryBound(to: T.self),
                batch: (0..<batch).map { .init(a: $0 * aCount, b: $0 * bCount, c: $0 * cCount) },
                pool: ThreadPool.shared(width: threads))
            var wanted = before
            for image in 0..<batch {
                for row in 0..<one.m {
                    for column in 0..<one.n {
                        var sum = 0.0
                        for index in 0..<one.k {
                            let x = one.transposesA ? index * lda + row : row * lda + index
                            let y = one.transposesB ? column * ldb + index : index * ldb + column
                            sum += left[image * aCount + x] * right[image * bCount + y]
                        }
                        let place = image * cCount + row * ldc + column
                        wanted[place] = alpha * sum + beta * before[place]
                    }
                }
            }
            let scale = wanted.reduce(1) { max($0, abs($1)) }
            #expect(zip(try found.doubles(), wanted).allSatisfy { abs($0 - $1) <= tolerance * scale })
        }
    }
}
