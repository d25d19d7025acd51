internal import LinearAlgebra

/// `C ← α·op(A)·op(B) + β·C` of row-major matrices: op(A) is m×k, op(B) is k×n. What C held does not matter when β is 0.
struct MatrixProduct: Sendable {
    let m: Int
    let n: Int
    let k: Int
    let transposesA: Bool
    let transposesB: Bool
    /// Elements from one row to the next of each matrix as it lies.
    let lda: Int
    let ldb: Int
    let ldc: Int
    var alpha = 1.0
    var beta = 0.0

    /// Where the matrices of one product of a batch begin.
    struct Offsets: Sendable {
        var a: Int
        var b: Int
        var c: Int

        static let single = [Offsets(a: 0, b: 0, c: 0)]
    }

    /// Rows are dense where no stride is given. Throws `execution.shape` for extents beyond BLAS's integers.
    init(
        m: Int, n: Int, k: Int, transposesA: Bool = false, transposesB: Bool = false, lda: Int? = nil, ldb: Int? = nil,
        ldc: Int? = nil, alpha: Double = 1, beta: Double = 0
    ) throws {
        (self.m, self.n, self.k, self.transposesA, self.transposesB) = (m, n, k, transposesA, transposesB)
        self.lda = max(1, lda ?? (transposesA ? m : k))
        self.ldb = max(1, ldb ?? (transposesB ? k : n))
        self.ldc = max(1, ldc ?? n)
        (self.alpha, self.beta) = (alpha, beta)
        // No array of them: kernels make products while they run.
        guard min(m, n, k) >= 0, min(self.lda, self.ldb, self.ldc) >= 0, max(m, n, k) <= Int(Int32.max),
            max(self.lda, self.ldb, self.ldc) <= Int(Int32.max)
        else {
            throw ExecutionError.shape("a product of \(m)×\(k) and \(k)×\(n) matrices is too large")
        }
    }

    /// Multiplications.
    var macs: Int { m.multipliedReportingOverflow(by: n).partialValue.multipliedReportingOverflow(by: k).partialValue }

    /// Products up to this size cost less in plain loops than BLAS takes to begin.
    private static let smallest = 128
    /// Multiplications that are worth a thread, and the rows or columns that a share is a multiple of: the kernels' tile.
    private static let grain = 1 << 17
    private static let tile = 32

    /// The products of a batch, over the threads of the pool: each by itself where there are enough of them, else split
    /// along the longer of m and n.
    @unsafe func run<T: Element>(
        _ a: UnsafePointer<T>, _ b: UnsafePointer<T>, into c: UnsafeMutablePointer<T>,
        batch: [Offsets] = Offsets.single, pool: ThreadPool
    ) {
        let extent = max(m, n)
        let shares = min(extent / Self.tile, macs / Self.grain, pool.width)
        let isEven = batch.count % pool.width == 0 || batch.count > 8 * pool.width
        let pieces = isEven ? 1 : max(1, shares)
        let step = ((extent + pieces - 1) / pieces + Self.tile - 1) / Self.tile * Self.tile
        BLAS.withSingleThread {
            pool.split(batch.count * pieces, grain: max(1, Self.grain * pieces / max(1, macs))) { items in
                for item in items {
                    let place = batch[item / pieces]
                    let part = pieces == 1 ? 0..<extent : Self.share(item % pieces, step, extent)
                    unsafe run(
                        a + place.a, b + place.b, into: c + place.c, rows: m >= n ? part : 0..<m,
                        columns: m >= n ? 0..<n : part)
                }
            }
        }
    }

    /// For kernels that multiply within the parts of a pool.
    static func whileSingleThreaded(_ body: () -> Void) { BLAS.withSingleThread(body) }

    private static func share(_ piece: Int, _ step: Int, _ extent: Int) -> Range<Int> {
        min(extent, piece * step)..<min(extent, (piece + 1) * step)
    }

    /// The given rows and columns of C, on the calling thread. BLAS is to have one thread.
    @unsafe func run<T: Element>(
        _ a: UnsafePointer<T>, _ b: UnsafePointer<T>, into c: UnsafeMutablePointer<T>, rows: Range<Int>? = nil,
        columns: Range<Int>? = nil
    ) {
        let (rows, columns) = (rows ?? 0..<m, columns ?? 0..<n)
        if rows.isEmpty || columns.isEmpty { return }
        let a = unsafe a + (transposesA ? rows.lowerBound : rows.lowerBound * lda)
        let b = unsafe b + (transposesB ? columns.lowerBound * ldb : columns.lowerBound)
        let c = unsafe c + rows.lowerBound * ldc + columns.lowerBound
        if T.self == Float.self {
            unsafe multiply(
                UnsafeRawPointer(a).assumingMemoryBound(to: Float.self),
                UnsafeRawPointer(b).assumingMemoryBound(to: Float.self),
                into: UnsafeMutableRawPointer(c).assumingMemoryBound(to: Float.self), rows.count, columns.count)
        } else if T.self == Double.self {
            unsafe multiply(
                UnsafeRawPointer(a).assumingMemoryBound(to: Double.self),
                UnsafeRawPointer(b).assumingMemoryBound(to: Double.self),
                into: UnsafeMutableRawPointer(c).assumingMemoryBound(to: Double.self), rows.count, columns.count)
        } else {
            unsafe multiplyPlainly(a, b, into: c, rows.count, columns.count)
        }
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    @unsafe private func multiply<S: BLASScalar & Element>(
        _ a: UnsafePointer<S>, _ b: UnsafePointer<S>, into c: UnsafeMutablePointer<S>, _ m: Int, _ n: Int
    ) {
        if k == 0 || (m * n).multipliedReportingOverflow(by: k).partialValue <= Self.smallest {
            return unsafe multiplyPlainly(a, b, into: c, m, n)
        }
        let (alpha, beta) = (S(alpha), S(beta))
        if n == 1 || m == 1 {
            // Not every BLAS takes a zero β as leave to overwrite what is no number.
            if beta == 0 {
                for index in 0..<max(m, n) { unsafe c[n == 1 ? index * ldc : index] = 0 }
            }
        }
        if n == 1 {
            unsafe S.uncheckedGemv(
                transpose: transposesA, rows: Int32(transposesA ? k : m), columns: Int32(transposesA ? m : k),
                alpha: alpha, a: a, lda: Int32(lda), x: b, xStride: transposesB ? 1 : Int32(ldb), beta: beta, y: c,
                yStride: Int32(ldc))
        } else if m == 1 {
            unsafe S.uncheckedGemv(
                transpose: !transposesB, rows: Int32(transposesB ? n : k), columns: Int32(transposesB ? k : n),
                alpha: alpha, a: b, lda: Int32(ldb), x: a, xStride: transposesA ? Int32(lda) : 1, beta: beta, y: c,
                yStride: 1)
        } else {
            unsafe S.uncheckedGemm(
                transposeA: transposesA, transposeB: transposesB, m: Int32(m), n: Int32(n), k: Int32(k), alpha: alpha,
                a: a, lda: Int32(lda), b: b, ldb: Int32(ldb), beta: beta, c: c, ldc: Int32(ldc))
        }
    }

    @specialized(where T == Float)
    @specialized(where T == Double)
    @specialized(where T == Int32)
    @specialized(where T == Int64)
    @unsafe private func multiplyPlainly<T: Element>(
        _ a: UnsafePointer<T>, _ b: UnsafePointer<T>, into c: UnsafeMutablePointer<T>, _ m: Int, _ n: Int
    ) {
        let (factor, kept) = (T(clamping: alpha), T(clamping: beta))
        let (aRow, aStep) = transposesA ? (1, lda) : (lda, 1)
        let (bStep, bColumn) = transposesB ? (1, ldb) : (ldb, 1)
        for row in 0..<m {
            for column in 0..<n {
                let (left, right) = unsafe (a + row * aRow, b + column * bColumn)
                var sum = T.zero
                for index in 0..<k {
                    sum = unsafe T.adding(sum, T.multiplying(left[index * aStep], right[index * bStep]))
                }
                if alpha != 1 { sum = T.multiplying(factor, sum) }
                let place = unsafe c + row * ldc + column
                unsafe place.pointee = beta == 0 ? sum : T.adding(sum, T.multiplying(kept, place.pointee))
            }
        }
    }
}
