public import ConverterKit

/// Builds small models without files, their weights at random from a fixed seed.
public struct ModelBuilder {
    public init() {}

    public private(set) var graph = Graph(name: "probe")
    private var seed: UInt64 = 1

    public mutating func input(_ name: String, _ shape: [Int]) -> String {
        graph.inputs.append(
            ValueInfo(
                name: name,
                tensorType: TensorType(
                    elementTypeNumber: ElementType.float32.rawValue, shape: shape.map { .fixed(Int64($0)) })))
        return name
    }

    /// Numbers around `center`, at most `spread` from it.
    public mutating func weight(_ shape: [Int], center: Float = 0, spread: Float = 0.1) -> String {
        let words = (0..<shape.reduce(1, *)).map { _ in
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return center + spread * (Float(seed >> 40) / Float(1 << 23) - 1)
        }
        return add(.float32, shape, words.flatMap { bytes(of: $0.bitPattern) })
    }

    public mutating func integers(_ values: [Int]) -> String {
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

    public mutating func node(_ operation: String, _ inputs: [String], _ attributes: [String: Attribute.Value] = [:])
        -> String
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

    public mutating func convolution(
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

    public mutating func normalization(_ x: String, channels: Int) -> String {
        let statistics = [(Float(1), Float(0.2)), (0, 0.2), (0, 0.2), (1, 0.2)]
        return node(
            "BatchNormalization", [x] + statistics.map { weight([channels], center: $0.0, spread: $0.1) })
    }

    public func model(_ output: String) -> Model {
        var model = Model(format: "onnx", path: "probe", graph: graph)
        model.operatorSets = [OperatorSet(domain: nil, version: 20)]
        model.graph.outputs = [ValueInfo(name: output, tensorType: nil)]
        return model
    }
}
