internal import COpenBLAS

/// An element type that BLAS has kernels for: `Float` and `Double`.
public protocol BLASScalar: BinaryFloatingPoint, Sendable {
    /// `C ← α·op(A)·op(B) + β·C`, row-major, sizes unchecked.
    @unsafe static func uncheckedGemm(
        transposeA: Bool, transposeB: Bool, m: Int32, n: Int32, k: Int32, alpha: Self, a: UnsafePointer<Self>,
        lda: Int32, b: UnsafePointer<Self>, ldb: Int32, beta: Self, c: UnsafeMutablePointer<Self>, ldc: Int32)

    /// `y ← α·op(A)·x + β·y` of a row-major matrix, sizes unchecked; `rows` and `columns` are those of A as it lies.
    @unsafe static func uncheckedGemv(
        transpose: Bool, rows: Int32, columns: Int32, alpha: Self, a: UnsafePointer<Self>, lda: Int32,
        x: UnsafePointer<Self>, xStride: Int32, beta: Self, y: UnsafeMutablePointer<Self>, yStride: Int32)

    /// False when one of the elements is NaN or infinite.
    static func areFinite(_ elements: Span<Self>) -> Bool
}

extension Float: BLASScalar {
    @unsafe public static func uncheckedGemm(
        transposeA: Bool, transposeB: Bool, m: Int32, n: Int32, k: Int32, alpha: Float, a: UnsafePointer<Float>,
        lda: Int32, b: UnsafePointer<Float>, ldb: Int32, beta: Float, c: UnsafeMutablePointer<Float>, ldc: Int32
    ) {
        unsafe cblas_sgemm(
            CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans, m, n, k,
            alpha, a, lda, b, ldb, beta, c, ldc)
    }

    @unsafe public static func uncheckedGemv(
        transpose: Bool, rows: Int32, columns: Int32, alpha: Float, a: UnsafePointer<Float>, lda: Int32,
        x: UnsafePointer<Float>, xStride: Int32, beta: Float, y: UnsafeMutablePointer<Float>, yStride: Int32
    ) {
        unsafe cblas_sgemv(
            CblasRowMajor, transpose ? CblasTrans : CblasNoTrans, rows, columns, alpha, a, lda, x, xStride, beta, y,
            yStride)
    }

    public static func areFinite(_ elements: Span<Float>) -> Bool {
        // An exponent of all ones carries into the sign bit. Integer arithmetic, since a reduction over floating-point
        // numbers must keep its order and would not be vectorized.
        var carried: UInt32 = 0
        for index in elements.indices {
            carried |= (unsafe elements[unchecked: index].bitPattern & 0x7fff_ffff) &+ 0x0080_0000
        }
        return carried & 0x8000_0000 == 0
    }
}

extension Double: BLASScalar {
    @unsafe public static func uncheckedGemm(
        transposeA: Bool, transposeB: Bool, m: Int32, n: Int32, k: Int32, alpha: Double, a: UnsafePointer<Double>,
        lda: Int32, b: UnsafePointer<Double>, ldb: Int32, beta: Double, c: UnsafeMutablePointer<Double>, ldc: Int32
    ) {
        unsafe cblas_dgemm(
            CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans, m, n, k,
            alpha, a, lda, b, ldb, beta, c, ldc)
    }

    @unsafe public static func uncheckedGemv(
        transpose: Bool, rows: Int32, columns: Int32, alpha: Double, a: UnsafePointer<Double>, lda: Int32,
        x: UnsafePointer<Double>, xStride: Int32, beta: Double, y: UnsafeMutablePointer<Double>, yStride: Int32
    ) {
        unsafe cblas_dgemv(
            CblasRowMajor, transpose ? CblasTrans : CblasNoTrans, rows, columns, alpha, a, lda, x, xStride, beta, y,
            yStride)
    }

    public static func areFinite(_ elements: Span<Double>) -> Bool {
        var carried: UInt64 = 0
        for index in elements.indices {
            carried |= (unsafe elements[unchecked: index].bitPattern & 0x7fff_ffff_ffff_ffff) &+ 0x0010_0000_0000_0000
        }
        return carried & 0x8000_0000_0000_0000 == 0
    }
}

/// False when one of the elements is NaN or infinite. O(n), at memory speed.
public func areFinite<Scalar: BLASScalar>(_ elements: [Scalar]) -> Bool { Scalar.areFinite(elements.span) }
