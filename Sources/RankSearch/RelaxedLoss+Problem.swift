internal import Decompositions

extension RelaxedLoss {
    /// The loss on the candidates of a step. Layers with fixed ranks, and layers without a family that pays, are part
    /// of `rest`.
    ///
    /// Cost: one evaluation of the analysis' mixture for each candidate. All later work is on the products of these.
    init(_ refinement: Refinement) throws {
        let problem = refinement.problem
        var rest = problem.rest
        var relaxed: [RelaxedLayer] = []
        for (index, layer) in problem.layers.enumerated() {
            guard layer.fixed == nil, !layer.spaces.isEmpty else {
                for (resource, share) in problem.shares(layer.fixed ?? layer.dense).enumerated() {
                    rest[resource] += share
                }
                continue
            }
            let families = try zip(layer.spaces, refinement.groups[index]).map { space, group in
                let shares = group.candidates.map { problem.shares($0) }
                return RelaxedFamily(
                    errors: group.candidates.map(\.error),
                    products: space.isClosedForm ? try space.products(group.candidates) : [],
                    shares: problem.resources.indices.flatMap { resource in shares.map { $0[resource] } })
            }
            relaxed.append(
                RelaxedLayer(id: layer.id, families: families, denseShares: problem.shares(layer.dense)))
        }
        self.init(layers: relaxed, rest: rest)
    }
}

extension RankSpace {
    /// `G_rs = ⟨W − Ŵ_r, W − Ŵ_s⟩ / ‖W‖²`, so that `M(p) = pᵀ G p` whenever `Σ p = 1`.
    ///
    /// The analysis gives `M` and `∂M/∂p_s = −2 ⟨W − Σ p Ŵ, Ŵ_s⟩`. At the vertex `p = r`: `G_rs = M + (∂M/∂p_s −
    /// ∂M/∂p_r) / 2`. That is exact, for any decomposition; a descent of any length then needs no further evaluation
    /// of the analysis.
    ///
    /// Throws `search.non-finite`.
    func products(_ candidates: [Candidate]) throws -> [Double] {
        let ranks = candidates.map(\.ranks)
        let count = ranks.count
        var products = [Double](repeating: 0, count: count * count)
        guard squaredNorm > 0 else { return products }
        var vertex = [Double](repeating: 0, count: count)
        for row in 0..<count {
            vertex[row] = 1
            defer { vertex[row] = 0 }
            guard let mixture = try analysis.mixture(of: ranks, probabilities: vertex) else { return [] }
            guard mixture.squaredError.isFinite, mixture.gradient.count == count,
                mixture.gradient.allSatisfy(\.isFinite)
            else {
                throw SearchError.nonFinite(
                    "the mixture's error at rank \(ranks[row])", layer: layer, decomposition: decomposition.id)
            }
            for column in 0..<count {
                let product =
                    mixture.squaredError + (mixture.gradient[column] - mixture.gradient[row]) / 2
                // The mean of both triangles, in which rounding differs.
                products[row * count + column] += product / (2 * squaredNorm)
                products[column * count + row] += product / (2 * squaredNorm)
            }
        }
        return products
    }
}
