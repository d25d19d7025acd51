internal import COpenBLAS

/// Eigenvalues in descending order and the eigenvectors that belong to them.
public struct SymmetricEigen: Sendable {
    public var values: [Double]
    /// Row `i` is the unit eigenvector of `values[i]`; its component of largest magnitude is positive.
    public var vectors: Matrix<Double>
}

/// A symmetric matrix reduced to tridiagonal form, `A = Q·T·Qᵀ`: the common, costly part (4/3·n³ operations) of its
/// eigenvalues, which then cost O(n²), and of any number of its leading eigenvectors.
///
/// Holds `n²` doubles. The eigenvectors come from divide and conquer on `T` followed by a back-transformation of only
/// those asked for, which on this LAPACK is two to three times faster than bisection with inverse iteration (`dsyevr`).
public struct TridiagonalForm: Sendable {
    public let order: Int
    private let reflectors: [Double]
    private let tau: [Double]
    private let diagonal: [Double]
    private let offDiagonal: [Double]
    /// The matrix was multiplied by this to keep clear of overflow and underflow.
    private let scale: Double

    /// Reads the upper triangle of `matrix` only. Throws `linear-algebra.size-mismatch`, `non-finite-input`, …
    public init(of matrix: Matrix<Double>) throws {
        guard matrix.rows == matrix.columns else {
            throw LinearAlgebraError.sizeMismatch("\(matrix.rows)×\(matrix.columns) is not square")
        }
        // LAPACK never returns from a matrix with a NaN or an infinity in it.
        guard areFinite(matrix.elements) else { throw LinearAlgebraError.nonFiniteInput("an eigenproblem") }
        BLAS.prepare()
        let order = matrix.rows
        var a = matrix.elements
        let largest = largestMagnitude(a)
        let scale = largest > 0 && !(1e-100...1e100).contains(largest) ? 1 / largest : 1
        if scale != 1 { for index in a.indices { a[index] *= scale } }
        var d = [Double](repeating: 0, count: order)
        var e = [Double](repeating: 0, count: max(1, order - 1))
        var tau = [Double](repeating: 0, count: max(1, order - 1))
        if order > 0 {
            var n = try blasInteger(order)
            _ = try blasInteger(order * order)
            // The row-major upper triangle is LAPACK's lower one, which it reduces faster than the other.
            var triangle = lower
            let blockSize = 64
            var work = [Double](repeating: 0, count: order * blockSize)
            var workCount = try blasInteger(work.count)
            var info: Int32 = 0
            var leading = n
            unsafe dsytrd_(&triangle, &n, &a, &leading, &d, &e, &tau, &work, &workCount, &info, 1)
            try LinearAlgebraError.check(info, "dsytrd")
            guard areFinite(d), areFinite(e) else { throw LinearAlgebraError.nonFiniteOutput("dsytrd") }
        }
        self.order = order
        reflectors = a
        self.tau = tau
        diagonal = d
        offDiagonal = e
        self.scale = scale
    }

    /// All eigenvalues, descending. O(n²).
    public func eigenvalues() throws -> [Double] {
        if order == 0 { return [] }
        var n = Int32(order)
        var (d, e) = (diagonal, offDiagonal)
        var info: Int32 = 0
        unsafe dsterf_(&n, &d, &e, &info)
        try LinearAlgebraError.check(info, "dsterf")
        guard areFinite(d) else { throw LinearAlgebraError.nonFiniteOutput("dsterf") }
        return d.reversed().map { $0 / scale }
    }

    /// The `count` largest eigenvalues and their eigenvectors.
    public func leading(_ count: Int) throws -> SymmetricEigen {
        guard (0...order).contains(count) else {
            throw LinearAlgebraError.sizeMismatch("\(count) eigenvectors of a matrix of order \(order)")
        }
        if count == 0 { return SymmetricEigen(values: [], vectors: Matrix(rows: 0, columns: order)) }
        var n = Int32(order)
        var (d, e) = (diagonal, offDiagonal)
        var info: Int32 = 0
        var z = [Double](repeating: 0, count: order * order)
        var work = [Double](repeating: 0, count: 1 + 4 * order + order * order)
        var integers = [Int32](repeating: 0, count: 3 + 5 * order)
        var (workCount, integerCount) = (try blasInteger(work.count), try blasInteger(integers.count))
        var mode = CChar(UInt8(ascii: "I"))
        var leading = n
        unsafe dstedc_(
            &mode, &n, &d, &e, &z, &leading, &work, &workCount, &integers, &integerCount, &info, 1)
        try LinearAlgebraError.check(info, "dstedc")
        // Columns ascend; a column of LAPACK's is a row here.
        var vectors = [Double]()
        vectors.reserveCapacity(count * order)
        for index in 0..<count {
            let start = (order - 1 - index) * order
            vectors.append(contentsOf: z[start..<start + order])
        }
        try backTransform(&vectors, count: count, work: &work)
        guard areFinite(d), areFinite(vectors) else { throw LinearAlgebraError.nonFiniteOutput("dstedc") }
        var matrix = Matrix(rows: count, columns: order, elements: vectors)
        matrix.makeLargestComponentsPositive()
        return SymmetricEigen(values: d.reversed().prefix(count).map { $0 / scale }, vectors: matrix)
    }

    private func backTransform(_ vectors: inout [Double], count: Int, work: inout [Double]) throws {
        guard order > 1 else { return }
        var (side, triangle, mode) = (CChar(UInt8(ascii: "L")), lower, CChar(UInt8(ascii: "N")))
        var (n, k) = (Int32(order), try blasInteger(count))
        let needed = 64 * count + 65 * 64
        if work.count < needed { work = [Double](repeating: 0, count: needed) }
        var workCount = try blasInteger(work.count)
        var (leading, leadingC) = (n, n)
        var info: Int32 = 0
        unsafe dormtr_(
            &side, &triangle, &mode, &n, &k, reflectors, &leading, tau, &vectors, &leadingC, &work, &workCount, &info,
            1, 1, 1)
        try LinearAlgebraError.check(info, "dormtr")
    }
}

private let lower = CChar(UInt8(ascii: "L"))

/// The `count` leading eigenpairs of a symmetric matrix, of which only the upper triangle is read.
public func eigh(_ matrix: Matrix<Double>, leading count: Int? = nil) throws -> SymmetricEigen {
    try TridiagonalForm(of: matrix).leading(count ?? matrix.rows)
}

/// All eigenvalues of a symmetric matrix, descending; about three times faster than `eigh`.
public func eigenvalues(_ matrix: Matrix<Double>) throws -> [Double] {
    try TridiagonalForm(of: matrix).eigenvalues()
}

extension Matrix {
    /// Negates each row whose component of largest magnitude (the first of equals) is negative, and says which.
    @discardableResult mutating func makeLargestComponentsPositive() -> [Bool] {
        var negated = [Bool](repeating: false, count: rows)
        for row in 0..<rows {
            let range = row * columns..<(row + 1) * columns
            var (best, magnitude) = (Scalar(0), Scalar(0))
            for index in range where abs(elements[index]) > magnitude {
                (best, magnitude) = (elements[index], abs(elements[index]))
            }
            if best < 0 {
                negated[row] = true
                for index in range { elements[index] = -elements[index] }
            }
        }
        return negated
    }
}
