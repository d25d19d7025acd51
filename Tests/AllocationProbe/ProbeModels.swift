import ConverterKit

/// Builds small models without files.
struct ModelBuilder {
    private(set) var graph = Graph(name: "probe")
    private var seed: UInt64 = 1

    mutating func input(_ name: String, _ shape: [Int]) -> String {
        graph.inputs.append(
            ValueInfo(
                name: name,
                tensorType: TensorType(
                    elementTypeNumber: ElementType.float32.rawValue, shape: shape.map { .fixed(Int64($0)) })))
        return name
    }

    /// Numbers around `center`, at most `spread` from it.
    mutating func weight(_ shape: [Int], center: Float = 0, spread: Float = 0.1) -> String {
        let words = (0..<shape.reduce(1, *)).map { _ in
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return center + spread * (Float(seed >> 40) / Float(1 << 23) - 1)
        }
        return add(.float32, shape, words.flatMap { bytes(of: $0.bitPattern) })
    }

    mutating func integers(_ values: [Int]) -> String {
        add(.int64, [values.count], values.flatMap { bytes(of: UInt64(bitPattern: Int64($0))) })
    }

    private func bytes<Word: FixedWidthInteger>(of word: Word) -> [UInt8] {
        (0..<Word.bitWidth / 8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
    }

    private mutating func add(_ type: ElementType, _ shape: [Int], _ bytes: [UInt8]) -> String {
        let name = "w\(graph.initializers.count)"
        graph.initializers.append(
            Tensor(
                name: name, elementTypeNumber: type.rawValue, shape: shape.map { Int64($0) },
                payload: .raw(ByteSource(bytes))))
        return name
    }

    mutating func node(_ operation: String, _ inputs: [String], _ attributes: [String: Attribute.Value] = [:]) -> String
    {
        let name = "v\(graph.nodes.count)"
        graph.nodes.append(
            Node(
                name: name, operation: operation, inputs: inputs, outputs: [name],
                attributes: attributes.keys.sorted().compactMap { key in
                    attributes[key].map { Attribute(name: key, value: $0) }
                }))
        return name
    }

    mutating func convolution(
        _ x: String, _ weight: [Int], stride: Int64 = 1, pads: (Int64, Int64)? = nil, groups: Int64 = 1
    ) -> String {
        let (vertical, horizontal) = pads ?? (Int64(weight[2] / 2), Int64(weight[3] / 2))
        return node(
            "Conv", [x, self.weight(weight, spread: 0.3)],
            [
                "pads": .ints([vertical, horizontal, vertical, horizontal]), "strides": .ints([stride, stride]),
                "group": .int(groups),
            ])
    }

    mutating func normalization(_ x: String, channels: Int) -> String {
        let statistics = [(Float(1), Float(0.2)), (0, 0.2), (0, 0.2), (1, 0.2)]
        return node(
            "BatchNormalization", [x] + statistics.map { weight([channels], center: $0.0, spread: $0.1) })
    }

    func model(_ output: String) -> Model {
        var model = Model(format: "onnx", path: "probe", graph: graph)
        model.operatorSets = [OperatorSet(domain: nil, version: 20)]
        model.graph.outputs = [ValueInfo(name: output, tensorType: nil)]
        return model
    }
}

enum ProbeModels {
    /// Convolutions as they are and as chains, batch normalizations, a residual, both poolings, a dense layer.
    static func convolutional(batch: Int) -> Model {
        var builder = ModelBuilder()
        let images = builder.input("images", [batch, 3, 12, 12])
        var x = builder.convolution(images, [16, 3, 3, 3])
        x = builder.node("Relu", [builder.normalization(x, channels: 16)])
        x = builder.node("MaxPool", [x], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
        let residual = x
        // Tensor-train form.
        x = builder.convolution(x, [6, 16, 1, 1])
        x = builder.convolution(x, [6, 6, 3, 1])
        x = builder.convolution(x, [5, 6, 1, 3])
        x = builder.convolution(x, [16, 5, 1, 1])
        x = builder.node("Relu", [builder.normalization(x, channels: 16)])
        // Canonical polyadic form.
        x = builder.convolution(x, [8, 16, 1, 1])
        x = builder.convolution(x, [8, 1, 3, 1], groups: 8)
        x = builder.convolution(x, [8, 1, 1, 3], groups: 8)
        x = builder.convolution(x, [16, 8, 1, 1])
        x = builder.node("Add", [builder.normalization(x, channels: 16), residual])
        x = builder.node("Relu", [x])
        x = builder.convolution(x, [24, 16, 3, 3], stride: 2)
        x = builder.node("Relu", [builder.normalization(x, channels: 24)])
        x = builder.node(
            "AveragePool", [x], ["kernel_shape": .ints([2, 2]), "strides": .ints([1, 1])])
        x = builder.node("Flatten", [builder.node("GlobalAveragePool", [x])])
        x = builder.node(
            "Gemm", [x, builder.weight([10, 24]), builder.weight([10])], ["transB": .int(1)])
        return builder.model(x)
    }

    /// Attention over four heads and a feed-forward part, each with its normalization and residual.
    static func transformer(batch: Int) -> Model {
        let (tokens, width, heads) = (24, 32, 4)
        var builder = ModelBuilder()
        let x = builder.input("images", [batch, tokens, width])
        func normalized(_ x: String) -> String {
            builder.node(
                "LayerNormalization", [x, builder.weight([width], center: 1), builder.weight([width])],
                ["axis": .int(-1)])
        }
        func dense(_ x: String, _ from: Int, _ to: Int) -> String {
            builder.node("Add", [builder.node("MatMul", [x, builder.weight([from, to])]), builder.weight([to])])
        }
        let input = normalized(x)
        let split = builder.integers([batch, tokens, heads, width / heads])
        let parts = (0..<3).map { index in
            builder.node(
                "Transpose", [builder.node("Reshape", [dense(input, width, width), split])],
                ["perm": .ints(index == 1 ? [0, 2, 3, 1] : [0, 2, 1, 3])])
        }
        var scores = builder.node("MatMul", [parts[0], parts[1]])
        scores = builder.node("Mul", [scores, builder.weight([1], center: 0.35, spread: 0)])
        scores = builder.node("Softmax", [scores], ["axis": .int(-1)])
        var mixed = builder.node("Transpose", [builder.node("MatMul", [scores, parts[2]])], ["perm": .ints([0, 2, 1, 3])])
        mixed = builder.node("Reshape", [mixed, builder.integers([batch, tokens, width])])
        let first = builder.node("Add", [dense(mixed, width, width), x])
        let inner = builder.node("Gelu", [dense(normalized(first), width, 4 * width)])
        let second = builder.node("Add", [dense(inner, 4 * width, width), first])
        return builder.model(second)
    }
}
