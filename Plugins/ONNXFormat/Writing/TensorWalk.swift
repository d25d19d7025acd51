internal import ConverterKit

/// Visits every tensor of a model that the kit models, in one fixed order: initializers, attributes, nested graphs,
/// functions.
enum TensorWalk {
    /// Calls `body` with each tensor.
    static func forEach(in model: Model, _ body: (Tensor) throws(ConversionError) -> Void) throws(ConversionError) {
        var copy = model
        _ = try update(&copy) { tensor throws(ConversionError) in
            try body(tensor)
            return false
        }
    }

    /// Calls `body` with each tensor, to change it; `body` returns whether it did. An attribute without a changed
    /// tensor is left as it was read.
    static func update(
        _ model: inout Model, _ body: (inout Tensor) throws(ConversionError) -> Bool
    ) throws(ConversionError) {
        _ = try graph(&model.graph, body)
        for index in model.functions.indices { _ = try nodes(&model.functions[index].nodes, body) }
    }

    private typealias Body = (inout Tensor) throws(ConversionError) -> Bool

    private static func graph(_ graph: inout Graph, _ body: Body) throws(ConversionError) -> Bool {
        let first = try tensors(&graph.initializers, body)
        return try nodes(&graph.nodes, body) || first
    }

    private static func tensors(_ tensors: inout [Tensor], _ body: Body) throws(ConversionError) -> Bool {
        var changed = false
        for index in tensors.indices { changed = try body(&tensors[index]) || changed }
        return changed
    }

    private static func nodes(_ nodes: inout [Node], _ body: Body) throws(ConversionError) -> Bool {
        var changed = false
        for node in nodes.indices {
            for index in nodes[node].attributes.indices {
                if let value = try value(nodes[node].attributes[index].value, body) {
                    nodes[node].attributes[index].value = value
                    changed = true
                }
            }
        }
        return changed
    }

    /// The changed value; `nil` when nothing in it changed.
    private static func value(_ value: Attribute.Value, _ body: Body) throws(ConversionError) -> Attribute.Value? {
        switch value {
        case .tensor(var tensor): return try body(&tensor) ? .tensor(tensor) : nil
        case .tensors(var list): return try tensors(&list, body) ? .tensors(list) : nil
        case .graph(var inner): return try graph(&inner, body) ? .graph(inner) : nil
        case .graphs(var list):
            var changed = false
            for index in list.indices { changed = try graph(&list[index], body) || changed }
            return changed ? .graphs(list) : nil
        default: return nil
        }
    }
}
