public import ConverterKit
internal import Decompositions

/// Which nodes of a model can be factorized, which stay and why, and what the model costs as it is. Reads no weight.
public struct LayerMap: Sendable {
    /// In the order of the model.
    public private(set) var layers: [MappedLayer]
    /// Every other node that holds a weight, in the order of the model.
    public private(set) var kept: [KeptNode]
    /// Parameters and MACs of the model as it is.
    public let cost: MapCost
    /// Patterns of the options that match no node.
    public let unmatchedPatterns: [String]

    /// Throws `graph.*` for a model that is not well-formed: names without a source, values defined twice, cycles.
    public init(of model: Model, options: MappingOptions = MappingOptions()) throws(ConversionError) {
        let tree = ScopeTree(of: model)
        if let fault = GraphCheck.faults(in: tree).first { throw fault.inSource(file: model.path) }
        let inference = Inference(of: tree, inputShapes: options.inputShapes)
        var selection = LayerSelection(tree: tree, options: options)
        let groups = LayerGrouping(tree: tree, inference: inference, selection: &selection)
        layers = groups.layers
        kept = groups.kept
        cost = MapCost(of: tree, inference: inference)
        unmatchedPatterns = selection.unmatchedPatterns
    }

    /// Moves the layer of this path to the kept nodes, with all nodes that share its weight: for what only the reader
    /// of the weights or the search can tell.
    public mutating func keep(layer id: String, reason: KeepReason, message: String) {
        guard let index = layers.firstIndex(where: { $0.id == id }) else { return }
        let layer = layers.remove(at: index)
        for (location, nodeID) in zip(layer.nodes, layer.nodeIDs) {
            kept.append(
                KeptNode(
                    id: nodeID, location: location, operation: layer.operation, weightName: layer.weightName,
                    reason: reason, message: message))
        }
    }

    public subscript(id: String) -> MappedLayer? { layers.first { $0.id == id || $0.nodeIDs.contains(id) } }
}
