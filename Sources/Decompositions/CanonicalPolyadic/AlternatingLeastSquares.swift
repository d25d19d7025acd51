internal import LinearAlgebra

/// CP by alternating least squares on one tensor `T[o, k…, i]`, scaled to norm 1.
///
/// The kernel's modes are treated as one for the two products with the tensor that a sweep takes: `T·C` serves the
/// update of the output and of each kernel mode, `Tᵀ·(A ⊙ B)` that of the input. So a sweep costs `4·o·k·i·R`
/// operations whatever the number of modes, all but a small part of them in matrix products.
struct AlternatingLeastSquares {
    /// Row-major `[o · k, i]`, of norm 1.
    let tensor: Matrix<Float>
    let out: Int
    /// Extents of the kernel's modes.
    let kernel: [Int]
    var inner: Int { tensor.columns }
    private var kernelSize: Int { kernel.reduce(1, *) }

    /// Largest `Σ λ²` of a tensor of norm 1: beyond it the terms cancel so much that half-precision factors, and any
    /// fine-tuning, would lose the result (Phan et al., ECCV 2020).
    static let largestSensitivity = 64.0

    /// Where a fit stands.
    struct Fit {
        var model: CPModel
        /// `‖T − T̂‖²` for the tensor of norm 1, by the normal equations.
        var squaredError: Double
        /// Weight of `Σ λ²` in the objective; grows where terms begin to cancel.
        var ridge: Double = 1e-6
    }

    /// Up to `sweeps` sweeps from `start`, fewer once a sweep lowers the error by less than `tolerance` of it. The best
    /// admissible model seen: with an error at most that of `start` when that is one.
    func run(from start: Fit, sweeps: Int, tolerance: Double) throws -> Fit {
        var current = start
        var best = start
        for _ in 0..<sweeps {
            let before = current.squaredError
            try sweep(&current)
            let admissible = current.model.sensitivity(squaredNorm: 1) <= Self.largestSensitivity
            if !admissible { current.ridge *= 8 }
            if admissible, current.squaredError < best.squaredError { best = current }
            let settled = before.isFinite && before - current.squaredError <= tolerance * before
            if admissible, settled { break }
        }
        if best.squaredError.isFinite { return best }
        // Nothing admissible yet: hand on where the run stands, with the ridge it has come to.
        current.squaredError = .infinity
        return current
    }

    /// A model of which only the kernel and input columns matter, to start from.
    func start(_ model: CPModel, squaredError: Double = .infinity) -> Fit {
        Fit(model: model, squaredError: squaredError)
    }

    private func sweep(_ fit: inout Fit) throws {
        var model = fit.model
        var grams = try model.kernel.map { try gram($0) }
        var inGram = try gram(model.inner)

        let projected = try multiply(tensor.view, model.inner.view)
        var kernel = try product(of: model.kernel)
        var right = try contractInner(projected, kernel)
        _ = try solve(&right, grams + [inGram], fit.ridge)
        _ = right.normalizeColumns()
        model.out = right
        let outGram = try gram(right)

        let narrow = try contractOuter(projected, model.out)
        for mode in model.kernel.indices {
            var sides = contract(narrow, with: model.kernel, except: mode)
            let others = grams.indices.filter { $0 != mode }.map { grams[$0] }
            _ = try solve(&sides, others + [outGram, inGram], fit.ridge)
            _ = sides.normalizeColumns()
            model.kernel[mode] = sides
            grams[mode] = try gram(sides)
        }

        kernel = try product(of: model.kernel)
        let rightSides = try multiply(tensor.transposed, try khatriRao(model.out, kernel).view)
        model.inner = rightSides
        let system = try solve(&model.inner, grams + [outGram], fit.ridge)
        inGram = try gram(model.inner)
        var inner = 0.0
        for (a, b) in zip(rightSides.elements, model.inner.elements) { inner += Double(a) * Double(b) }
        var norm = 0.0
        for row in 0..<model.rank {
            norm += system[row, row] * inGram[row, row]
            for column in row + 1..<model.rank { norm += 2 * system[row, column] * inGram[row, column] }
        }
        model.weights = model.inner.normalizeColumns()
        fit.model = model
        fit.squaredError = max(0, 1 - 2 * inner + norm)
    }

    /// `‖T − T̂‖²` of balanced factors, by the residual itself: exact to single precision, where the normal equations
    /// lose half the digits.
    func residual(_ factors: [Matrix<Float>]) throws -> Double {
        var rest = tensor
        let left = try khatriRao(factors[0], try product(of: Array(factors[1..<factors.count - 1])))
        try multiply(left.view, factors[factors.count - 1].transposed, scale: -1, addingTo: &rest)
        return squaredNorm(rest.elements)
    }

    /// Columnwise Kronecker product of the kernel's modes, the first outermost.
    private func product(of factors: [Matrix<Float>]) throws -> Matrix<Float> {
        try factors.dropFirst().reduce(factors[0]) { try khatriRao($0, $1) }
    }

    private func gram(_ factor: Matrix<Float>) throws -> Matrix<Double> {
        try gramMatrix(of: factor.elements, rows: factor.rows, columns: factor.columns, side: .columns)
    }

    /// Solves with the elementwise product of the Gram matrices, which it returns.
    private func solve(
        _ rightSides: inout Matrix<Float>, _ grams: [Matrix<Double>], _ ridge: Double
    ) throws -> Matrix<Double> {
        var system = grams[0]
        for gram in grams.dropFirst() {
            for index in system.elements.indices { system.elements[index] *= gram.elements[index] }
        }
        var wide = Matrix<Double>(
            rows: rightSides.rows, columns: rightSides.columns, elements: rightSides.elements.map(Double.init))
        // Columns of zeros, of a term that vanished, leave a diagonal of zeros: the ridge carries them.
        _ = try solveSymmetric(system, rows: &wide, ridge: ridge)
        rightSides.elements = wide.elements.map(Float.init)
        return system
    }

    /// `Σ P[k…, r]·Π_{m ≠ mode} B_m[k_m, r]` over all kernel positions, as `extent × R`.
    private func contract(_ narrow: Matrix<Float>, with factors: [Matrix<Float>], except mode: Int) -> Matrix<Float> {
        let rank = narrow.columns
        var result = Matrix<Float>(rows: kernel[mode], columns: rank)
        for position in 0..<narrow.rows {
            var place = position
            var term = Array(narrow.elements[position * rank..<(position + 1) * rank])
            var row = 0
            for index in kernel.indices.reversed() {
                let coordinate = place % kernel[index]
                place /= kernel[index]
                if index == mode {
                    row = coordinate
                } else {
                    for column in 0..<rank { term[column] *= factors[index][coordinate, column] }
                }
            }
            for column in 0..<rank { result[row, column] += term[column] }
        }
        return result
    }
}
