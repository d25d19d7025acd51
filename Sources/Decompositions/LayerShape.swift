/// The linear map of a layer, apart from where it stands in a graph.
///
/// The dense weight that goes with it is row-major `[outChannels, inChannels / groups, kernel…]`, the output channels
/// ordered by group: ONNX's layout of a Conv weight. A weight of a transposed convolution is brought into this layout
/// by its owner; a linear layer has no kernel.
public struct LayerShape: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable {
        case linear
        case convolution
        case transposedConvolution = "transposed-convolution"
    }

    public var kind: Kind
    public var inChannels: Int
    public var outChannels: Int
    public var groups: Int
    /// Kernel extent by spatial axis; empty for a linear layer.
    public var kernel: [Int]
    /// Stride by spatial axis, as many as `kernel`.
    public var strides: [Int]
    /// Extent of the input and of the output by spatial axis, for the cost in MACs. For a linear layer one number: how
    /// often it is applied for one input of the model (its tokens).
    public var inputExtent: [Int]
    public var outputExtent: [Int]

    public init(
        kind: Kind, inChannels: Int, outChannels: Int, groups: Int = 1, kernel: [Int] = [], strides: [Int] = [],
        inputExtent: [Int] = [1], outputExtent: [Int] = [1]
    ) {
        self.kind = kind
        self.inChannels = inChannels
        self.outChannels = outChannels
        self.groups = groups
        self.kernel = kernel
        self.strides = strides
        self.inputExtent = inputExtent
        self.outputExtent = outputExtent
    }

    public var inChannelsPerGroup: Int { inChannels / groups }
    public var outChannelsPerGroup: Int { outChannels / groups }
    /// Number of kernel positions; 1 for a linear layer.
    public var kernelSize: Int { kernel.reduce(1, *) }
    /// Number of elements of the dense weight.
    public var weightCount: Int { outChannels * inChannelsPerGroup * kernelSize }

    /// What the layer costs as it is.
    public var denseCost: Cost {
        FactorLink.Shape(
            inChannels: inChannels, outChannels: outChannels, groups: groups, kernel: kernel,
            axes: Array(kernel.indices)
        ).cost(in: self, carried: [])
    }
}

/// What a layer or chain costs.
public struct Cost: Sendable, Hashable {
    /// Elements of the weights; biases are the same before and after and not counted.
    public var parameters: Int
    /// Multiply-accumulates for one input of the model.
    public var macs: Int

    public init(parameters: Int, macs: Int) {
        self.parameters = parameters
        self.macs = macs
    }

    public static func + (left: Cost, right: Cost) -> Cost {
        Cost(parameters: left.parameters + right.parameters, macs: left.macs + right.macs)
    }

    /// True when both figures are lower: the condition under which a layer is factorized at all.
    public func beats(_ other: Cost) -> Bool { parameters < other.parameters && macs < other.macs }
}
