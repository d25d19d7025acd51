internal import Decompositions

/// The cheapest chains there are: if none of them pays, no rank does.
enum RankOne {
    /// Why no chain pays for the layer, or `nil` when at least one does.
    static func doesNotPay(_ layer: MappedLayer) -> String? {
        let costs = chains(of: layer.shape).map { layer.cost(of: $0) }
        if costs.contains(where: { $0.beats(layer.dense) }) { return nil }
        let least = costs.map(\.parameters).min() ?? 0
        return "a chain of rank 1 has \(least) parameters where the layer has \(layer.dense.parameters), "
            + "or not fewer multiply-accumulates"
    }

    /// Chains of rank 1 in the forms of METHOD §1: pair, bottleneck, depthwise, by axis.
    private static func chains(of shape: LayerShape) -> [[FactorLink.Shape]] {
        let groups = shape.groups
        let ones = [Int](repeating: 1, count: shape.kernel.count)
        let axes = Array(shape.kernel.indices)
        func link(_ from: Int, _ to: Int, kernel: [Int], axes: [Int]) -> FactorLink.Shape {
            FactorLink.Shape(inChannels: from, outChannels: to, groups: groups, kernel: kernel, axes: axes)
        }
        let last = link(groups, shape.outChannels, kernel: ones, axes: [])
        let first = link(shape.inChannels, groups, kernel: ones, axes: [])
        guard shape.kind != .linear else { return [[first, last]] }
        var result = [
            [link(shape.inChannels, groups, kernel: shape.kernel, axes: axes), last],
            [first, link(groups, shape.outChannels, kernel: shape.kernel, axes: axes)],
            [first, link(groups, groups, kernel: shape.kernel, axes: axes), last],
        ]
        for axis in axes.dropLast() {
            let front = shape.kernel.enumerated().map { $0.offset <= axis ? $0.element : 1 }
            let back = shape.kernel.enumerated().map { $0.offset > axis ? $0.element : 1 }
            result.append([
                link(shape.inChannels, groups, kernel: front, axes: Array(axes[...axis])),
                link(groups, shape.outChannels, kernel: back, axes: Array(axes[(axis + 1)...])),
            ])
        }
        return result
    }
}
