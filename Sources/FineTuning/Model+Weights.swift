public import ConverterKit

extension Model {
    /// The model with other content in constants of its graph, rounded to their types.
    public func withWeights(_ weights: [String: [Float]]) throws(ConversionError) -> Model {
        var model = self
        for index in model.graph.initializers.indices {
            let tensor = model.graph.initializers[index]
            guard let name = tensor.name, let values = weights[name], let type = tensor.elementType else { continue }
            let bytes = ByteSource(try Tensor.pack(values, as: type))
            // A constant that lies beside the model stays there.
            if case .external(var external) = tensor.payload {
                external.bytes = bytes
                model.graph.initializers[index].payload = .external(external)
            } else {
                model.graph.initializers[index].payload = .raw(bytes)
            }
        }
        return model
    }

    /// Names of the constants that training changes: those in single precision that nodes compute with, except the
    /// statistics of normalizations, which are measured.
    public var trainableNames: Set<String> {
        var measured: Set<String> = []
        var read: Set<String> = []
        for node in graph.nodes {
            read.formUnion(node.inputs)
            if node.operation == "BatchNormalization", node.inputs.count >= 5 { measured.formUnion(node.inputs[3...4]) }
        }
        return Set(
            graph.initializers.filter { $0.elementType == .float32 && ($0.elementCount ?? 0) > 1 }.compactMap(\.name)
        ).intersection(read).subtracting(measured)
    }
}
