/// A layer's weight as a chain of smaller linear layers, the first applied to the layer's input. Apart from rounding the
/// chain equals one dense layer with the weight `reconstruct()`.
public struct FactorChain: Sendable {
    public var links: [FactorLink]

    public init(links: [FactorLink]) { self.links = links }
}

/// One link: a convolution (or linear layer) without bias.
public struct FactorLink: Sendable {
    /// What a link looks like, without its weight.
    public struct Shape: Sendable, Hashable {
        public var inChannels: Int
        public var outChannels: Int
        public var groups: Int
        /// Extent by spatial axis of the layer, 1 on axes that the link does not carry; empty for a linear layer.
        public var kernel: [Int]
        /// The spatial axes on which the link has the layer's stride, pads, dilation (and output padding). Each axis is
        /// carried by exactly one link of a chain; on the others the link has stride 1 and no pads. In a transposed
        /// convolution a link that carries an axis is a ConvTranspose, any other a Conv.
        public var axes: [Int]

        public init(inChannels: Int, outChannels: Int, groups: Int = 1, kernel: [Int], axes: [Int]) {
            self.inChannels = inChannels
            self.outChannels = outChannels
            self.groups = groups
            self.kernel = kernel
            self.axes = axes
        }

        public var weightCount: Int { outChannels * (inChannels / groups) * kernel.reduce(1, *) }

        /// Cost of the link at its place in a chain whose earlier links carried the axes `carried`.
        public func cost(in layer: LayerShape, carried: Set<Int>) -> Cost {
            var positions = 1
            if layer.kind == .linear {
                positions = layer.inputExtent.reduce(1, *)
            } else {
                for axis in layer.kernel.indices {
                    let after = carried.contains(axis) || axes.contains(axis)
                    // A transposed convolution spends its work by input position, a convolution by output position.
                    let atOutput = layer.kind == .transposedConvolution && axes.contains(axis) ? false : after
                    positions *= atOutput ? layer.outputExtent[axis] : layer.inputExtent[axis]
                }
            }
            return Cost(parameters: weightCount, macs: weightCount * positions)
        }
    }

    public var shape: Shape
    /// Row-major `[outChannels, inChannels / groups, kernel…]`.
    public var weight: [Float]

    public init(shape: Shape, weight: [Float]) {
        precondition(weight.count == shape.weightCount, "a link's weight does not fit its shape")
        self.shape = shape
        self.weight = weight
    }
}

extension [FactorLink.Shape] {
    /// Cost of a chain of these links in place of `layer`.
    public func cost(in layer: LayerShape) -> Cost {
        var carried: Set<Int> = []
        var total = Cost(parameters: 0, macs: 0)
        for link in self {
            total = total + link.cost(in: layer, carried: carried)
            carried.formUnion(link.axes)
        }
        return total
    }
}
