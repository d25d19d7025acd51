internal import LinearAlgebra

extension FactorChain {
    /// The dense weight `[Cout, Cin / groups, k…]` that the chain equals, by contraction in double precision.
    ///
    /// Each axis of the kernel is carried by one link only, so the positions of two links combine without overlap.
    /// Throws `decomposition.size-mismatch` for a chain that does not fit the layer, or whose first link has other
    /// groups.
    public func reconstruct(_ layer: LayerShape) throws -> [Float] {
        let inner = layer.inChannelsPerGroup
        guard let first = links.first, first.shape.inChannels == layer.inChannels, first.shape.groups == layer.groups,
            first.shape.kernel.count == layer.kernel.count
        else {
            throw DecompositionError(
                code: "decomposition.size-mismatch", message: "the chain does not start with \(layer.summary)")
        }
        var dense = Partial(
            weight: first.weight.map(Double.init), channels: first.shape.outChannels, inner: inner,
            kernel: first.shape.kernel)
        for (index, link) in links.enumerated().dropFirst() {
            guard link.shape.inChannels == dense.channels, link.shape.kernel.count == dense.kernel.count,
                link.shape.groups.isMultiple(of: layer.groups),
                zip(link.shape.kernel, dense.kernel).allSatisfy({ $0 == 1 || $1 == 1 })
            else {
                throw DecompositionError(
                    code: "decomposition.size-mismatch", message: "link \(index) does not follow the one before")
            }
            dense = try dense.followed(by: link)
        }
        guard dense.channels == layer.outChannels, dense.kernel == layer.kernel else {
            throw DecompositionError(
                code: "decomposition.size-mismatch", message: "the chain does not end in \(layer.summary)")
        }
        return dense.weight.map(Float.init)
    }
}

/// The dense weight `[channels, inner, kernel…]` of the first links of a chain.
private struct Partial {
    var weight: [Double]
    var channels: Int
    var inner: Int
    var kernel: [Int]

    func followed(by link: FactorLink) throws -> Partial {
        let shape = link.shape
        let (own, theirs) = (kernel.reduce(1, *), shape.kernel.reduce(1, *))
        let (from, to) = (shape.inChannels / shape.groups, shape.outChannels / shape.groups)
        let extents = zip(kernel, shape.kernel).map { $0 * $1 }
        let size = own * theirs
        let places = positions(combinedWith: shape.kernel, in: extents)
        var result = [Double](repeating: 0, count: shape.outChannels * inner * size)
        for group in 0..<shape.groups {
            let before = MatrixView(
                elements: weight, offset: group * from * inner * own, rows: from, columns: inner * own)
            for position in 0..<theirs {
                var slice = [Double](repeating: 0, count: to * from)
                for index in slice.indices {
                    slice[index] = Double(link.weight[(group * to * from + index) * theirs + position])
                }
                let product = try multiply(MatrixView(elements: slice, rows: to, columns: from), before)
                for index in 0..<to * inner {
                    let start = (group * to * inner + index) * size
                    for earlier in 0..<own {
                        result[start + places[position * own + earlier]] = product.elements[index * own + earlier]
                    }
                }
            }
        }
        return Partial(weight: result, channels: shape.outChannels, inner: inner, kernel: extents)
    }

    /// For each position of a further kernel and each of this one, the position in `extents`. On each axis one of the
    /// two has extent 1.
    private func positions(combinedWith other: [Int], in extents: [Int]) -> [Int] {
        (0..<other.reduce(1, *)).flatMap { second in
            (0..<kernel.reduce(1, *)).map { first in
                var (a, b, place, stride) = (first, second, 0, 1)
                for axis in extents.indices.reversed() {
                    place += (a % kernel[axis] + b % other[axis]) * stride
                    a /= kernel[axis]
                    b /= other[axis]
                    stride *= extents[axis]
                }
                return place
            }
        }
    }
}
