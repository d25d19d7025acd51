internal import COpenBLAS

extension Float {
    /// `y ← A·x + beta·y` for a row-major `A` of `m` rows and `n` columns. Nothing is checked.
    @unsafe public static func uncheckedMatrixVector(
        m: Int32, n: Int32, a: UnsafePointer<Float>, lda: Int32, x: UnsafePointer<Float>, beta: Float,
        y: UnsafeMutablePointer<Float>
    ) {
        unsafe cblas_sgemv(CblasRowMajor, CblasNoTrans, m, n, 1, a, lda, x, 1, beta, y, 1)
    }
}
