internal import LinearAlgebra

/// `M ≈ left · right` for each group of a layer, by the leading singular vectors of `M`: what `svd` and `spatial-svd`
/// have in common.
struct MatrixPair {
    /// One row-major `rows × columns` matrix per group, one after the other.
    let elements: [Float]
    let rows: Int
    let columns: Int
    let groups: Int

    var largestRank: Int { min(rows, columns) }
    private var side: GramSide { rows <= columns ? .rows : .columns }

    /// The Gram matrix of a group's shorter side, tridiagonal. Its eigenvalues are the squared singular values, to
    /// about 1e-14·σ₁²: relative errors down to 1e-7 are meaningful, as many as the weight has in single precision.
    func form(ofGroup group: Int) throws -> TridiagonalForm {
        try TridiagonalForm(
            of: try gramMatrix(
                of: elements, offset: group * rows * columns, rows: rows, columns: columns, side: side))
    }

    /// Squared singular values summed over the groups, and the forms when asked for.
    func spectrum(retainingForms: Bool) throws -> (spectrum: NestedSpectrum, forms: [TridiagonalForm]?) {
        var terms = [Double](repeating: 0, count: largestRank)
        var forms: [TridiagonalForm] = []
        for group in 0..<groups {
            let form = try form(ofGroup: group)
            for (index, value) in try form.eigenvalues().enumerated() { terms[index] += max(0, value) }
            if retainingForms { forms.append(form) }
        }
        return (NestedSpectrum(terms: terms), retainingForms ? forms : nil)
    }

    /// The factors of all groups, one after the other: `left` of `rows × rank` each, `right` of `rank × columns` each.
    ///
    /// One is an orthonormal basis `Q` of the leading subspace of the shorter side, the other the projection of `M` on
    /// it, so that the product is `Q·Qᵀ·M` whatever the accuracy of small singular values: exact at full rank. Each
    /// component is split evenly, `√σ` to either side, which keeps half-precision storage in range.
    func factors(rank: Int, forms: [TridiagonalForm]?) throws -> (left: [Float], right: [Float]) {
        var left: [Float] = []
        var right: [Float] = []
        left.reserveCapacity(groups * rows * rank)
        right.reserveCapacity(groups * columns * rank)
        for group in 0..<groups {
            let form = try forms?[group] ?? form(ofGroup: group)
            let basis = try form.leading(rank).vectors
            let matrix = MatrixView(
                elements: elements, offset: group * rows * columns, rows: rows, columns: columns)
            let q = Matrix(rows: rank, columns: basis.columns, elements: basis.elements.map(Float.init))
            if side == .rows {
                var projection = try multiply(q.view, matrix)
                let scaled = balance(q, &projection)
                left.append(contentsOf: scaled.transposed.matrix.elements)
                right.append(contentsOf: projection.elements)
            } else {
                var projection = try multiply(q.view, matrix.transposed)
                let scaled = balance(q, &projection)
                left.append(contentsOf: projection.transposed.matrix.elements)
                right.append(contentsOf: scaled.elements)
            }
        }
        return (left, right)
    }

    /// Moves `√‖row‖` of each row of the projection to the same row of the basis. A row of zeros makes both zero.
    private func balance(_ basis: Matrix<Float>, _ projection: inout Matrix<Float>) -> Matrix<Float> {
        var scaled = basis
        for row in 0..<basis.rows {
            let own = row * projection.columns..<(row + 1) * projection.columns
            let root = squaredNorm(projection.elements.span.extracting(own)).squareRoot().squareRoot()
            let inverse = root > 0 ? 1 / root : 0
            for index in own { projection.elements[index] = Float(Double(projection.elements[index]) * inverse) }
            for index in row * basis.columns..<(row + 1) * basis.columns {
                scaled.elements[index] = Float(Double(scaled.elements[index]) * root)
            }
        }
        return scaled
    }
}

/// The analysis of a matrix pair.
struct MatrixPairAnalysis: RankAnalysis {
    let errors: SpectrumAnalysis
    /// By group, when the factors are to be had later.
    let forms: [TridiagonalForm]?

    init(_ pair: MatrixPair, of decomposition: String, squaredNorm: Double, retainingFactors: Bool) throws {
        let (spectrum, forms) = try pair.spectrum(retainingForms: retainingFactors)
        errors = SpectrumAnalysis(decomposition: decomposition, squaredNorm: squaredNorm, spectrum: spectrum)
        self.forms = forms
    }

    var squaredNorm: Double { errors.squaredNorm }
    func squaredError(ranks: [Int]) throws -> Double { try errors.squaredError(ranks: ranks) }

    func mixture(of ranks: [[Int]], probabilities: [Double]) throws -> (squaredError: Double, gradient: [Double])? {
        try errors.mixture(of: ranks, probabilities: probabilities)
    }

    /// The retained forms, if this is an analysis by `decomposition` of a weight of this norm.
    static func forms(
        in analysis: (any RankAnalysis)?, of decomposition: String, squaredNorm: Double
    ) -> [TridiagonalForm]? {
        guard let own = analysis as? MatrixPairAnalysis, own.errors.decomposition == decomposition,
            own.squaredNorm == squaredNorm
        else { return nil }
        return own.forms
    }
}
