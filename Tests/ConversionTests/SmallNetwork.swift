import ConverterKit

/// A small convolutional network with weights of decaying spectrum, built in code.
enum SmallNetwork {
    static let channels = 32

    /// Conv 3×3 (3→32), Relu, Conv 3×3 (32→32), Relu, GlobalAveragePool, Flatten, Gemm (32→10).
    static func model(noise: Float = 0.001, seed: UInt64 = 1) -> Model {
        var random = Numbers(state: seed)
        var graph = Graph(name: "network")
        graph.inputs = [value("x", [1, 3, 16, 16])]
        graph.outputs = [value("y", [1, 10])]
        graph.nodes = [
            node("conv1", "Conv", ["x", "conv1.weight", "conv1.bias"], "a", [pads]),
            node("relu1", "Relu", ["a"], "b"),
            node("conv2", "Conv", ["b", "conv2.weight"], "c", [pads]),
            node("relu2", "Relu", ["c"], "d"),
            node("pool", "GlobalAveragePool", ["d"], "e"),
            node("flatten", "Flatten", ["e"], "f"),
            node("head", "Gemm", ["f", "head.weight"], "y", [Attribute(name: "transB", value: .int(1))]),
        ]
        graph.initializers = [
            tensor("conv1.weight", [32, 3, 3, 3], lowRank(32, 27, rank: 27, noise: noise, &random)),
            tensor("conv1.bias", [32], (0..<32).map { _ in random.next() }),
            tensor("conv2.weight", [32, 32, 3, 3], lowRank(32, 288, rank: 3, noise: noise, &random)),
            tensor("head.weight", [10, 32], lowRank(10, 32, rank: 10, noise: noise, &random)),
        ]
        var model = Model(format: "onnx", path: "", graph: graph)
        model.irVersion = 8
        model.operatorSets = [OperatorSet(domain: "", version: 17)]
        model.producerName = "test"
        model.metadata = [MetadataEntry(key: "owner", value: "somebody")]
        return model
    }

    private static let pads = Attribute(name: "pads", value: .ints([1, 1, 1, 1]))

    private static func node(
        _ name: String, _ operation: String, _ inputs: [String], _ output: String, _ attributes: [Attribute] = []
    ) -> Node {
        Node(name: name, operation: operation, inputs: inputs, outputs: [output], attributes: attributes)
    }

    private static func value(_ name: String, _ shape: [Int64]) -> ValueInfo {
        ValueInfo(name: name, tensorType: TensorType(elementTypeNumber: 1, shape: shape.map { .fixed($0) }))
    }

    static func tensor(_ name: String, _ shape: [Int64], _ values: [Float]) -> Tensor {
        let bytes = values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
        return Tensor(name: name, elementTypeNumber: 1, shape: shape, payload: .raw(ByteSource(bytes)))
    }

    /// `rows × columns` of the given rank, plus noise of full rank.
    private static func lowRank(
        _ rows: Int, _ columns: Int, rank: Int, noise: Float, _ random: inout Numbers
    ) -> [Float] {
        let left = (0..<rows * rank).map { _ in random.next() }
        let right = (0..<rank * columns).map { _ in random.next() }
        return (0..<rows * columns).map { index in
            let row = index / columns
            let column = index % columns
            let sum = (0..<rank).reduce(Float(0)) { $0 + left[row * rank + $1] * right[$1 * columns + column] }
            return sum + noise * random.next()
        }
    }
}

/// Seeded numbers in −1…1.
struct Numbers {
    var state: UInt64

    mutating func next() -> Float {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: state >> 33)) / Float(1 << 30) - 1
    }
}
