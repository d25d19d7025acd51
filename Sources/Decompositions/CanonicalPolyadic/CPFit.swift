internal import LinearAlgebra

/// One group of a convolution weight as a tensor to fit.
struct CPTensor: Sendable {
    let solver: AlternatingLeastSquares
    /// `‖T‖` of the weight; the solver's tensor is divided by it.
    let norm: Double

    /// `elements` is row-major `[out, kernel…, in]`.
    init(elements: [Float], out: Int, kernel: [Int], inner: Int) {
        let norm = squaredNorm(elements).squareRoot()
        let scale = norm > 0 ? 1 / norm : 0
        self.norm = norm
        solver = AlternatingLeastSquares(
            tensor: Matrix(
                rows: elements.count / inner, columns: inner, elements: elements.map { Float(Double($0) * scale) }),
            out: out, kernel: kernel)
    }

    /// The best model of `rank` terms that the starts lead to: singular vectors of the modes, random ones, and
    /// `smaller`, with terms added; its error is never above that of `smaller`.
    func fit(rank: Int, after smaller: CPResult?, effort: CPEffort, seed: UInt64) throws -> CPResult {
        if norm == 0 { return CPResult(zeros(rank), squaredError: 0, scale: 0) }
        var fits: [AlternatingLeastSquares.Fit] = []
        var generator = SeededGenerator(seed: seed &+ UInt64(rank) &* 0x9e37_79b9_7f4a_7c15)
        fits.append(solver.start(try singularVectors(rank, &generator)))
        if let smaller {
            let model = smaller.model.padded(to: rank, seed: generator.next())
            fits.append(solver.start(model, squaredError: smaller.squaredError / (norm * norm)))
        } else {
            for _ in 0..<effort.randomStarts { fits.append(solver.start(random(rank, &generator))) }
        }
        if fits.count > 1 {
            fits = try fits.map { try solver.run(from: $0, sweeps: effort.trialSweeps, tolerance: 0) }
        }
        guard let first = fits.min(by: { $0.squaredError < $1.squaredError }) else {
            return CPResult(zeros(rank), squaredError: norm * norm, scale: 0)
        }
        let fit = try solver.run(from: first, sweeps: effort.sweeps, tolerance: effort.tolerance)
        guard fit.squaredError.isFinite else {
            throw DecompositionError(
                code: "decomposition.degenerate", message: "no CP model of rank \(rank) keeps its terms bounded")
        }
        let error = try solver.residual(fit.model.balanced(scale: 1))
        // The normal equations, by which runs are compared, cannot tell errors below 1e-7 apart.
        if let smaller, smaller.squaredError <= error * norm * norm {
            let model = smaller.model.padded(to: rank, seed: generator.next())
            return CPResult(model, squaredError: smaller.squaredError, scale: norm)
        }
        return CPResult(fit.model, squaredError: error * norm * norm, scale: norm)
    }

    private var extents: [Int] { solver.kernel }

    private func zeros(_ rank: Int) -> CPModel {
        CPModel(
            weights: [Double](repeating: 0, count: rank), out: Matrix(rows: solver.out, columns: rank),
            kernel: extents.map { Matrix(rows: $0, columns: rank) }, inner: Matrix(rows: solver.inner, columns: rank))
    }

    private func random(_ rank: Int, _ generator: inout SeededGenerator) -> CPModel {
        zeros(0).padded(to: rank, seed: generator.next())
    }

    /// Leading singular vectors of the input's unfolding, and of the kernel's; random columns where a mode has fewer.
    private func singularVectors(_ rank: Int, _ generator: inout SeededGenerator) throws -> CPModel {
        var model = random(rank, &generator)
        let tensor = solver.tensor
        let gram = try gramMatrix(of: tensor.elements, rows: tensor.rows, columns: tensor.columns, side: .columns)
        let vectors = try eigh(gram, leading: min(rank, tensor.columns)).vectors
        for row in 0..<vectors.rows {
            for column in 0..<vectors.columns { model.inner[column, row] = Float(vectors[row, column]) }
        }
        return model
    }
}

/// A fitted model and its error.
struct CPResult: Sendable {
    let model: CPModel
    /// `‖T − T̂‖²` of the balanced factors as emitted, measured.
    let squaredError: Double
    private let scale: Double

    init(_ model: CPModel, squaredError: Double, scale: Double) {
        self.model = model
        self.squaredError = squaredError
        self.scale = scale
    }

    /// Output, kernel modes, input, each `extent × R`, the norms split evenly.
    var factors: [Matrix<Float>] { model.balanced(scale: scale) }
}
