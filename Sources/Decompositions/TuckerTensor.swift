internal import Glibc
internal import LinearAlgebra

/// The groups of a convolution weight as tensors `T[Cout, k, Cin]`, their HOSVD, and Tucker-2 factors at given ranks:
/// what `tt` and `tucker` have in common (a three-core TT in the order `Cout | k | Cin` is a Tucker-2).
struct TuckerTensor {
    /// Row-major `[Cout, k, Cin]` of each group, one after the other.
    let elements: [Float]
    let out: Int
    let kernel: Int
    let inner: Int
    let groups: Int

    init(_ weight: [Float], of layer: LayerShape) throws {
        out = layer.outChannelsPerGroup
        kernel = layer.kernelSize
        inner = layer.inChannelsPerGroup
        groups = layer.groups
        elements = try exchangingLastAxes(weight, layer.outChannels, inner, kernel)
    }

    /// Largest useful rank on the side of the output and of the input: at these the factors are exact.
    static func largestRanks(for layer: LayerShape) -> (out: Int, inner: Int) {
        let (out, inner) = (layer.outChannelsPerGroup, layer.inChannelsPerGroup)
        return (min(out, inner * layer.kernelSize), min(inner, out * layer.kernelSize))
    }

    private var count: Int { out * kernel * inner }

    /// Orthonormal bases of one group: rows of `out` span the leading subspace of the output mode, of `inner` the
    /// input's.
    struct Bases: Sendable {
        var out: Matrix<Float>
        var inner: Matrix<Float>
    }

    /// The bases of the HOSVD (De Lathauwer, De Moor and Vandewalle, 2000).
    func bases(ofGroup group: Int, _ r1: Int, _ r2: Int) throws -> Bases {
        let offset = group * count
        let outGram = try gramMatrix(of: elements, offset: offset, rows: out, columns: kernel * inner, side: .rows)
        let inGram = try gramMatrix(of: elements, offset: offset, rows: out * kernel, columns: inner, side: .columns)
        return Bases(out: try leading(r1, of: outGram), inner: try leading(r2, of: inGram))
    }

    /// `E_ab` summed over the groups, and the full bases when asked for.
    func energy(retainingBases: Bool) throws -> (CoreEnergy, [Bases]?) {
        let (n1, n2) = (min(out, kernel * inner), min(inner, kernel * out))
        var energies = [Double](repeating: 0, count: n1 * n2)
        var all: [Bases] = []
        for group in 0..<groups {
            let bases = try bases(ofGroup: group, n1, n2)
            let core = try core(ofGroup: group, bases)
            for a in 0..<n1 {
                for s in 0..<kernel {
                    let start = (a * kernel + s) * n2
                    for b in 0..<n2 {
                        let value = Double(core.elements[start + b])
                        energies[a * n2 + b] += value * value
                    }
                }
            }
            if retainingBases { all.append(bases) }
        }
        return (CoreEnergy(energies: energies, rows: n1, columns: n2), retainingBases ? all : nil)
    }

    /// `[r1, k, r2]` as a matrix of `r1·k` rows.
    private func core(ofGroup group: Int, _ bases: Bases) throws -> Matrix<Float> {
        let tensor = MatrixView(elements: elements, offset: group * count, rows: out, columns: kernel * inner)
        let half = try multiply(bases.out.view, tensor)
        let rows = bases.out.rows * kernel
        return try multiply(MatrixView(elements: half.elements, rows: rows, columns: inner), bases.inner.transposed)
    }

    /// The weights of the three links, all groups: `[g·r2, Cin/g]`, `[g·r1, r2, k]` and `[Cout, r1]`.
    ///
    /// Starts from the HOSVD (of `retained`, where given) and improves it by higher-order orthogonal iteration (HOOI;
    /// De Lathauwer, De Moor and Vandewalle, 2000b), which never raises the error.
    func factors(_ r1: Int, _ r2: Int, retained: [Bases]?) throws -> [[Float]] {
        var links: [[Float]] = [[], [], []]
        for group in 0..<groups {
            var bases =
                try retained.map { Bases(out: prefix($0[group].out, r1), inner: prefix($0[group].inner, r2)) }
                ?? bases(ofGroup: group, r1, r2)
            if r1 < min(out, kernel * inner) || r2 < min(inner, kernel * out) { try improve(&bases, ofGroup: group) }
            var core = try core(ofGroup: group, bases)
            balance(&bases, &core)
            links[0].append(contentsOf: bases.inner.elements)
            links[1].append(contentsOf: try exchangingLastAxes(core.elements, r1, kernel, r2))
            links[2].append(contentsOf: bases.out.transposed.matrix.elements)
        }
        return links
    }

    /// Alternates the best basis of one mode for that of the other until a sweep gains less than a thousandth of the
    /// error, at most three times.
    private func improve(_ bases: inout Bases, ofGroup group: Int) throws {
        let offset = group * count
        let (r1, r2) = (bases.out.rows, bases.inner.rows)
        let total = squaredNorm(elements.span.extracting(offset..<offset + count))
        var captured = squaredNorm(try core(ofGroup: group, bases).elements)
        for _ in 0..<3 {
            var next = bases
            let flat = MatrixView(elements: elements, offset: offset, rows: out * kernel, columns: inner)
            let narrowIn = try multiply(flat, next.inner.transposed)
            next.out = try leading(
                r1, of: try gramMatrix(of: narrowIn.elements, rows: out, columns: kernel * r2, side: .rows))
            let tall = MatrixView(elements: elements, offset: offset, rows: out, columns: kernel * inner)
            let narrowOut = try multiply(next.out.view, tall)
            next.inner = try leading(
                r2, of: try gramMatrix(of: narrowOut.elements, rows: r1 * kernel, columns: inner, side: .columns))
            let energy = squaredNorm(try core(ofGroup: group, next).elements)
            // Near convergence rounding can make a sweep worse.
            if energy <= captured { return }
            let gain = energy - captured
            bases = next
            captured = energy
            if gain < 1e-3 * max(0, total - captured) { return }
        }
    }

    /// Splits the norm of each component evenly: slice `a` of the core of norm `s_a` gives `s_a^⅓` to column `a` of the
    /// last link, likewise on the other side, so that no link leaves the range of half precision.
    private func balance(_ bases: inout Bases, _ core: inout Matrix<Float>) {
        let (r1, r2) = (bases.out.rows, bases.inner.rows)
        var outNorms = [Double](repeating: 0, count: r1)
        var inNorms = [Double](repeating: 0, count: r2)
        for a in 0..<r1 {
            for s in 0..<kernel {
                for b in 0..<r2 {
                    let value = Double(core[a * kernel + s, b])
                    outNorms[a] += value * value
                    inNorms[b] += value * value
                }
            }
        }
        let outShares = outNorms.map(cubeRootOfNorm)
        let inShares = inNorms.map(cubeRootOfNorm)
        for a in 0..<r1 {
            for s in 0..<kernel {
                for b in 0..<r2 {
                    core[a * kernel + s, b] = Float(Double(core[a * kernel + s, b]) / (outShares[a] * inShares[b]))
                }
            }
            for o in 0..<out { bases.out[a, o] = Float(Double(bases.out[a, o]) * outShares[a]) }
        }
        for b in 0..<r2 {
            for i in 0..<inner { bases.inner[b, i] = Float(Double(bases.inner[b, i]) * inShares[b]) }
        }
    }

    private func leading(_ rank: Int, of gram: Matrix<Double>) throws -> Matrix<Float> {
        let vectors = try eigh(gram, leading: rank).vectors
        return Matrix(rows: rank, columns: vectors.columns, elements: vectors.elements.map(Float.init))
    }

    private func prefix(_ basis: Matrix<Float>, _ rank: Int) -> Matrix<Float> {
        Matrix(rows: rank, columns: basis.columns, elements: Array(basis.elements.prefix(rank * basis.columns)))
    }
}

/// The cube root of the norm whose square is given; 1 for 0, so that nothing is divided by zero.
private func cubeRootOfNorm(_ square: Double) -> Double { square > 0 ? cbrt(square.squareRoot()) : 1 }
