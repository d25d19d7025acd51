internal import COpenBLAS
internal import Glibc

/// Which of OpenBLAS's kernels suits a processor, and the change to it.
///
/// Measured on an AMD Zen 4 with OpenBLAS 0.3.21, two threads, 1024³: Cooperlake (its own choice) and SkylakeX are
/// equal, 200 GFLOP/s in single and 100 in double precision, so a choice of the same vector width is left alone.
package enum KernelChoice {
    /// Vector level (3 AVX-512, 2 AVX2 with FMA, 1 AVX, 0 SSE) of each kernel of OpenBLAS 0.3.21's dynamic build that
    /// has more than SSE.
    static let levels: [String: Int] = [
        "skylakex": 3, "cooperlake": 3, "sapphirerapids": 3, "haswell": 2, "zen": 2, "excavator": 2, "steamroller": 1,
        "piledriver": 1, "bulldozer": 1, "sandybridge": 1,
    ]

    /// The level that this processor and its operating system support.
    static var processorLevel: Int { Int(rene_vector_level()) }

    /// The kernel to change to, or `nil` to stay with `current`.
    package static func better(than current: String, vectorLevel: Int, chosenByUser: Bool) -> String? {
        if chosenByUser || vectorLevel <= levels[current.lowercased(), default: 0] { return nil }
        return switch vectorLevel {
        case 3: "SkylakeX"
        case 2: "Haswell"
        default: nil
        }
    }

    /// Makes OpenBLAS take the kernel `name`. No other thread may be inside BLAS.
    package static func change(to name: String) {
        unsafe setenv("OPENBLAS_CORETYPE", name, 1)
        gotoblas_dynamic_quit()
        gotoblas_dynamic_init()
    }

    /// Removes what `change` has left in the environment, so that a child process chooses for itself.
    static func forgetUserSetting() { unsafe unsetenv("OPENBLAS_CORETYPE") }

    /// True when products in both precisions, of shapes on and off the kernels' block sizes, agree with plain loops.
    package static func computesCorrectly() -> Bool {
        [(1, 1, 1), (3, 5, 7), (16, 16, 16), (33, 17, 65), (64, 96, 128)].allSatisfy { m, n, k in
            agrees(m, n, k, Float.self, tolerance: 1e-4) && agrees(m, n, k, Double.self, tolerance: 1e-12)
        }
    }

    private static func agrees<Scalar: BLASScalar>(
        _ m: Int, _ n: Int, _ k: Int, _ type: Scalar.Type, tolerance: Scalar
    ) -> Bool {
        var generator = SeededGenerator(seed: UInt64(m * 10_000 + n * 100 + k))
        let a = (0..<m * k).map { _ in Scalar(2 * generator.uniform() - 1) }
        let b = (0..<k * n).map { _ in Scalar(2 * generator.uniform() - 1) }
        var c = [Scalar](repeating: 0, count: m * n)
        unsafe Scalar.uncheckedGemm(
            transposeA: false, transposeB: false, m: Int32(m), n: Int32(n), k: Int32(k), alpha: 1, a: a, lda: Int32(k),
            b: b, ldb: Int32(n), beta: 0, c: &c, ldc: Int32(n))
        for row in 0..<m {
            for column in 0..<n {
                var sum: Scalar = 0
                for index in 0..<k { sum += a[row * k + index] * b[index * n + column] }
                // Written so that a NaN disagrees.
                if !(abs(sum - c[row * n + column]) <= tolerance) { return false }
            }
        }
        return true
    }
}
