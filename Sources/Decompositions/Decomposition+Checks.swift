internal import LinearAlgebra

extension Decomposition {
    /// Whether the chain of rank 1, the smallest there is, has fewer parameters than the layer. Cost grows with rank,
    /// so where this fails no rank pays: depthwise convolutions, 1×1 matrices, one input or output channel.
    func smallestChainPays(in layer: LayerShape) -> Bool {
        guard layer.inChannels > 0, layer.outChannels > 0, layer.groups > 0, layer.kernel.allSatisfy({ $0 > 0 }),
            layer.inChannels.isMultiple(of: layer.groups), layer.outChannels.isMultiple(of: layer.groups)
        else { return false }
        let smallest = links(ranks: largestRanks(for: layer).map { _ in 1 }, in: layer)
        return smallest.reduce(0) { $0 + $1.weightCount } < layer.weightCount
    }

    /// Throws unless the weight is one of `layer`, finite, and the decomposition applies. Returns `‖W‖²`.
    func checkedSquaredNorm(of weight: [Float], in layer: LayerShape) throws -> Double {
        guard applies(to: layer) else {
            throw DecompositionError(
                code: "decomposition.degenerate", message: "\(id) has no form for \(layer.summary)")
        }
        guard weight.count == layer.weightCount else {
            throw DecompositionError(
                code: "decomposition.size-mismatch",
                message: "\(weight.count) elements are not a weight of \(layer.summary)")
        }
        guard areFinite(weight) else {
            throw DecompositionError(
                code: "decomposition.non-finite-weight", message: "the weight holds a NaN or an infinity")
        }
        return squaredNorm(weight)
    }

    func check(ranks: [Int], in layer: LayerShape) throws {
        try check(ranks: ranks, largest: largestRanks(for: layer))
    }

    func check(ranks: [Int], largest: [Int]) throws { try checkRanks(ranks, largest: largest, of: id) }
}

func checkRanks(_ ranks: [Int], largest: [Int], of id: String) throws {
    guard ranks.count == largest.count, zip(ranks, largest).allSatisfy({ 1...max(1, $1) ~= $0 }) else {
        throw DecompositionError(
            code: "decomposition.rank-out-of-range", message: "ranks \(ranks) of \(id) are not within 1…\(largest)")
    }
}

extension LayerShape {
    /// One line for messages.
    var summary: String {
        let groups = groups > 1 ? ", \(groups) groups" : ""
        let extents = kernel.map(String.init).joined(separator: "×")
        return "a \(kind.rawValue) of \(inChannels) to \(outChannels) channels"
            + (kernel.isEmpty ? "" : ", kernel \(extents)") + groups
    }
}
