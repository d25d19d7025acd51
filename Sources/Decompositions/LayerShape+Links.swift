extension LayerShape {
    /// A link of extent 1 everywhere, without axes: `groups · a → groups · b` channels, each group of the layer apart.
    func pointwiseLink(from a: Int, to b: Int) -> FactorLink.Shape {
        FactorLink.Shape(
            inChannels: groups * a, outChannels: groups * b, groups: groups, kernel: kernel.map { _ in 1 }, axes: [])
    }

    /// A link with the layer's extent, stride, pads and dilation on `carried` axes, all by default.
    func kernelLink(from a: Int, to b: Int, axes carried: [Int]? = nil) -> FactorLink.Shape {
        let axes = carried ?? Array(kernel.indices)
        return FactorLink.Shape(
            inChannels: groups * a, outChannels: groups * b, groups: groups,
            kernel: kernel.indices.map { axes.contains($0) ? kernel[$0] : 1 }, axes: axes)
    }

    /// As `kernelLink`, each of the `groups · rank` channels on its own.
    func depthwiseLink(rank: Int, axes: [Int]) -> FactorLink.Shape {
        var link = kernelLink(from: rank, to: rank, axes: axes)
        link.groups = groups * rank
        return link
    }

    /// Number of weights of one group.
    var weightCountPerGroup: Int { outChannelsPerGroup * inChannelsPerGroup * kernelSize }
}
