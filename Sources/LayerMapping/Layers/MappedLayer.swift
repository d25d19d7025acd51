public import ConverterKit
public import Decompositions

/// A layer that can be written as a chain: one weight and all nodes that apply it.
public struct MappedLayer: Sendable {
    /// How the layer is applied at one place of the model.
    public struct Use: Sendable, Hashable {
        /// The layer's shape with the extents of this place.
        public var shape: LayerShape
        /// How often, for one run of the model (a loop's or function's body may run several times).
        public var times: Int
        /// False when the extents could not be inferred: they are taken as 1.
        public var isExtentKnown: Bool

        public init(shape: LayerShape, times: Int, isExtentKnown: Bool) {
            self.shape = shape
            self.times = times
            self.isExtentKnown = isExtentKnown
        }
    }

    /// The path of the layer's first node, unique in the model: its name, or its operation and index (`Conv_3`); behind
    /// the path of the node or function it stands in (`If_2/then_branch/Conv_0`, `domain::Name/Conv_0`).
    public let id: String
    /// `Conv`, `ConvTranspose`, `Gemm` or `MatMul`.
    public let operation: String
    /// Every node that applies the weight.
    public let nodes: [NodeLocation]
    /// The paths of `nodes`.
    public let nodeIDs: [String]
    /// At least one; the first is that of the largest extents.
    public let places: [Use]
    /// The name of the stored tensor, or of the output of the Constant node that holds it.
    public let weightName: String
    /// The type in which the weight is stored, and in which factors will be.
    public let elementType: ElementType

    let weightTrace: TracedWeight
    /// By node, as `nodes`.
    let forms: [LayerForm]
    let traces: [TracedWeight]

    /// The shape at the place of the largest extents.
    public var shape: LayerShape { places[0].shape }

    /// False when the extents of some place could not be inferred: MACs then count it as applied once.
    public var isExtentKnown: Bool { places.allSatisfy(\.isExtentKnown) }

    /// How often the layer is applied in one run of the model.
    public var uses: Int { places.reduce(0) { $0 + $1.times } }

    /// The cost of the layer as it is: the weight's parameters once, MACs over all places.
    public var dense: Cost {
        cost { $0.denseCost }
    }

    /// The cost of a chain of these links in place of the layer at every place.
    public func cost(of links: [FactorLink.Shape]) -> Cost {
        cost { links.cost(in: $0) }
    }

    private func cost(_ each: (LayerShape) -> Cost) -> Cost {
        var total = Cost(parameters: each(shape).parameters, macs: 0)
        for place in places { total.macs += each(place.shape).macs * place.times }
        return total
    }

    /// The dense weight, row-major `[outChannels, inChannels / groups, kernel…]` whatever its layout in the model; read
    /// from its source at each call. Throws an error of reading, or `tensor.*` when content and shape disagree.
    public func weight() throws(ConversionError) -> [Float] {
        do {
            return CanonicalWeight.elements(try weightTrace.elements(), shape: weightTrace.shape, form: forms[0])
        } catch {
            throw error.at(.init(node: id, tensor: weightName))
        }
    }
}

/// A node that holds weights and stays as it is.
public struct KeptNode: Sendable, Hashable {
    /// The node's path, as `MappedLayer.id`.
    public var id: String
    public var location: NodeLocation
    /// The operator, without its domain.
    public var operation: String
    public var weightName: String?
    public var reason: KeepReason
    /// The reason in words, with the figures or names that it is about.
    public var message: String

    public init(
        id: String, location: NodeLocation, operation: String, weightName: String?, reason: KeepReason, message: String
    ) {
        self.id = id
        self.location = location
        self.operation = operation
        self.weightName = weightName
        self.reason = reason
        self.message = message
    }
}
