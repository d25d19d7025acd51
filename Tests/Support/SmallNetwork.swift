public import ConverterKit
internal import LinearAlgebra

/// A residual network with every kind of chain, small enough to run many times: 3 × 12 × 12 images, 5 classes.
public struct SmallNetwork {
    public private(set) var model: Model
    private var generator: SeededGenerator
    private var last: String
    private var channels = 3

    public static let classes = 5
    public static let side = 12

    public init(seed: UInt64) throws {
        generator = SeededGenerator(seed: seed)
        last = "image"
        var graph = Graph(name: "small")
        graph.inputs = [
            ValueInfo(
                name: "image",
                tensorType: TensorType(
                    elementTypeNumber: 1, shape: [.symbol("N"), .fixed(3), .fixed(12), .fixed(12)]))
        ]
        graph.outputs = [ValueInfo(name: "logits", tensorType: nil)]
        model = Model(format: "onnx", path: "small.onnx", graph: graph)
        model.operatorSets = [OperatorSet(domain: "", version: 17)]
        try convolve(to: 8, kernel: 3, pads: 1)
        try normalize()
        emit("Relu", [last])
        let entry = last
        // A Tucker chain, then a residual.
        try convolve(to: 5, kernel: 1)
        try convolve(to: 6, kernel: 3, pads: 1)
        try convolve(to: 8, kernel: 1, bias: true)
        try normalize()
        emit("Add", [last, entry])
        emit("Relu", [last])
        // A CP chain that halves the image, beside a shortcut by Slice and Pad.
        let shortcut = last
        try convolve(to: 12, kernel: 1)
        try convolve(to: 12, kernel: 3, pads: 1, stride: 2, groups: 12)
        try convolve(to: 16, kernel: 1)
        try normalize()
        let main = last
        constant("starts", [0, 0])
        constant("ends", [12, 12])
        constant("axes", [2, 3])
        constant("steps", [2, 2])
        constant("pads", [0, 4, 0, 0, 0, 4, 0, 0])
        emit("Slice", [shortcut, "starts", "ends", "axes", "steps"])
        emit("Pad", [last, "pads"])
        emit("Add", [main, last])
        emit("Relu", [last])
        channels = 16
        // Spatial SVD: kernels along different axes.
        try convolve(to: 7, kernel: [3, 1], pads: [1, 0, 1, 0])
        try convolve(to: 16, kernel: [1, 3], pads: [0, 1, 0, 1], bias: true)
        emit("Relu", [last])
        emit("GlobalAveragePool", [last])
        emit("Flatten", [last])
        try weight("head", [Self.classes, 16], scale: 0.3)
        try weight("head.bias", [Self.classes], scale: 0.1)
        emit("Gemm", [last, "head", "head.bias"], [Attribute(name: "transB", value: .int(1))], output: "logits")
    }

    public var weightNames: Set<String> {
        Set(model.graph.initializers.filter { $0.elementType == .float32 }.compactMap(\.name))
    }

    private mutating func emit(
        _ operation: String, _ inputs: [String], _ attributes: [Attribute] = [], output: String? = nil
    ) {
        let name = output ?? "value_\(model.graph.nodes.count)"
        model.graph.nodes.append(
            Node(name: nil, operation: operation, inputs: inputs, outputs: [name], attributes: attributes))
        last = name
    }

    private mutating func constant(_ name: String, _ values: [Int64]) {
        model.graph.initializers.append(
            Tensor(
                name: name, elementTypeNumber: ElementType.int64.rawValue, shape: [Int64(values.count)],
                payload: .raw(
                    ByteSource(values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } })
                )))
    }

    private mutating func weight(_ name: String, _ shape: [Int], scale: Double, around middle: Double = 0) throws {
        let values = (0..<shape.reduce(1, *)).map { _ in Float(middle + scale * generator.normal()) }
        model.graph.initializers.append(
            Tensor(
                name: name, elementTypeNumber: ElementType.float32.rawValue, shape: shape.map { Int64($0) },
                payload: .raw(ByteSource(try Tensor.pack(values, as: .float32)))))
    }

    private mutating func convolve(
        to outputs: Int, kernel: Int, pads: Int = 0, stride: Int = 1, groups: Int = 1, bias: Bool = false
    ) throws {
        try convolve(
            to: outputs, kernel: [kernel, kernel], pads: [pads, pads, pads, pads], stride: stride, groups: groups,
            bias: bias)
    }

    private mutating func convolve(
        to outputs: Int, kernel: [Int], pads: [Int], stride: Int = 1, groups: Int = 1, bias: Bool = false
    ) throws {
        let name = "conv_\(model.graph.nodes.count)"
        let fan = Double(channels / groups * kernel[0] * kernel[1])
        try weight(name, [outputs, channels / groups] + kernel, scale: (2 / fan).squareRoot())
        if bias { try weight(name + ".bias", [outputs], scale: 0.1) }
        emit(
            "Conv", [last, name] + (bias ? [name + ".bias"] : []),
            [
                Attribute(name: "kernel_shape", value: .ints(kernel.map { Int64($0) })),
                Attribute(name: "pads", value: .ints(pads.map { Int64($0) })),
                Attribute(name: "strides", value: .ints([Int64(stride), Int64(stride)])),
                Attribute(name: "group", value: .int(Int64(groups))),
            ])
        channels = outputs
    }

    private mutating func normalize() throws {
        let name = "norm_\(model.graph.nodes.count)"
        try weight(name + ".scale", [channels], scale: 0.2, around: 1)
        try weight(name + ".bias", [channels], scale: 0.2)
        try weight(name + ".mean", [channels], scale: 0.2)
        try weight(name + ".variance", [channels], scale: 0.05, around: 1)
        emit("BatchNormalization", [last] + ["scale", "bias", "mean", "variance"].map { "\(name).\($0)" })
    }
}
