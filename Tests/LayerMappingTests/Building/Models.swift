import ConverterKit
import Decompositions
import LayerMapping

/// Models made in code.
enum Build {
    static func tensor(
        _ name: String?, _ shape: [Int], type: ElementType = .float32, values: [Float]? = nil
    ) throws -> Tensor {
        let count = shape.reduce(1, *)
        let values = values ?? (0..<count).map { Float($0 % 17) - 8 }
        return Tensor(
            name: name, elementTypeNumber: type.rawValue, shape: shape.map { Int64($0) },
            payload: .raw(ByteSource(try Tensor.pack(values, as: type))))
    }

    static func integers(_ name: String?, _ values: [Int64], shape: [Int64]? = nil) -> Tensor {
        var bytes: [UInt8] = []
        for value in values {
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> Int64(8 * shift))) }
        }
        return Tensor(
            name: name, elementTypeNumber: ElementType.int64.rawValue, shape: shape ?? [Int64(values.count)],
            payload: .raw(ByteSource(bytes)))
    }

    static func info(_ name: String, _ shape: [Int]?, type: ElementType = .float32) -> ValueInfo {
        ValueInfo(
            name: name,
            tensorType: TensorType(
                elementTypeNumber: type.rawValue, shape: shape?.map { $0 < 0 ? .unknown : .fixed(Int64($0)) }))
    }

    static func node(
        _ operation: String, _ inputs: [String], _ outputs: [String], name: String? = nil,
        _ attributes: [(String, Attribute.Value)] = [], domain: String? = nil
    ) -> Node {
        Node(
            name: name, operation: operation, domain: domain, inputs: inputs, outputs: outputs,
            attributes: attributes.map { Attribute(name: $0.0, value: $0.1) })
    }

    static func graph(
        inputs: [ValueInfo], outputs: [ValueInfo], initializers: [Tensor] = [], nodes: [Node]
    ) -> Graph {
        var graph = Graph(name: "g")
        graph.inputs = inputs
        graph.outputs = outputs
        graph.initializers = initializers
        graph.nodes = nodes
        return graph
    }

    static func model(_ graph: Graph, operatorSet: Int64 = 17, irVersion: Int64 = 8) -> Model {
        var model = Model(format: "onnx", path: "test.onnx", graph: graph)
        model.irVersion = irVersion
        model.operatorSets = [OperatorSet(domain: "", version: operatorSet)]
        return model
    }

    /// `x → nodes → y` with a Relu behind, so that the layer is no classifier head.
    static func single(
        _ node: Node, weights: [Tensor], input: [Int], output: [Int]? = nil, operatorSet: Int64 = 17,
        irVersion: Int64 = 8, before: [Node] = []
    ) -> Model {
        model(
            graph(
                inputs: [info("x", input)], outputs: [info("y", output)], initializers: weights,
                nodes: before + [node, self.node("Relu", [node.outputs[0]], ["y"], name: "relu")]),
            operatorSet: operatorSet, irVersion: irVersion)
    }
}

/// Exact chains that need no decomposition.
enum Chain {
    /// The dense weight, then the identity: a pair of full rank.
    static func identityLast(_ layer: MappedLayer) throws -> FactorChain {
        let shape = layer.shape
        let kernel = shape.kernel
        let ones = [Int](repeating: 1, count: kernel.count)
        let perGroup = shape.outChannelsPerGroup
        var identity = [Float](repeating: 0, count: shape.outChannels * perGroup)
        for channel in 0..<shape.outChannels { identity[channel * perGroup + channel % perGroup] = 1 }
        return FactorChain(links: [
            FactorLink(
                shape: .init(
                    inChannels: shape.inChannels, outChannels: shape.outChannels, groups: shape.groups, kernel: kernel,
                    axes: Array(kernel.indices)),
                weight: try layer.weight()),
            FactorLink(
                shape: .init(
                    inChannels: shape.outChannels, outChannels: shape.outChannels, groups: shape.groups, kernel: ones,
                    axes: []),
                weight: identity),
        ])
    }

    /// The identity, the dense weight, the identity: the three links of TT.
    static func identityAround(_ layer: MappedLayer) throws -> FactorChain {
        let shape = layer.shape
        let perGroup = shape.inChannelsPerGroup
        var identity = [Float](repeating: 0, count: shape.inChannels * perGroup)
        for channel in 0..<shape.inChannels { identity[channel * perGroup + channel % perGroup] = 1 }
        let first = FactorLink(
            shape: .init(
                inChannels: shape.inChannels, outChannels: shape.inChannels, groups: shape.groups,
                kernel: [Int](repeating: 1, count: shape.kernel.count), axes: []),
            weight: identity)
        return FactorChain(links: [first] + (try identityLast(layer)).links)
    }
}
