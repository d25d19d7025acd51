/// An operator that is a layer: where its weight may be and what the axes of the weight mean.
struct LayerOperator: Sendable {
    enum Form: Sendable { case convolution, transposedConvolution, gemm, matMul }

    let operation: String
    let form: Form
    /// Inputs that may be the weight, the usual one first.
    let weightInputs: [Int]
    let biasInput: Int?
    /// Attributes whose meaning is known here. A node with any other stays.
    let attributes: Set<String>
}

/// An operator that holds weights and always stays.
struct HoldingOperator: Sendable {
    let operation: String
    let domain: String
    let weightInputs: [Int]
    let reason: KeepReason
}

/// Facts about operators, apart from what is done with them.
enum OperatorFacts {
    private static let convolutionAttributes: Set<String> = [
        "auto_pad", "dilations", "group", "kernel_shape", "pads", "strides",
    ]

    static let layers: [LayerOperator] = [
        // weight [out, in / group, kernel…]
        LayerOperator(
            operation: "Conv", form: .convolution, weightInputs: [1], biasInput: 2,
            attributes: convolutionAttributes),
        // weight [in, out / group, kernel…]
        LayerOperator(
            operation: "ConvTranspose", form: .transposedConvolution, weightInputs: [1], biasInput: 2,
            attributes: convolutionAttributes.union(["output_padding", "output_shape"])),
        // alpha · op(A) · op(B) + beta · C; as B [in, out] or, transposed, [out, in]; as A the reverse
        LayerOperator(
            operation: "Gemm", form: .gemm, weightInputs: [1, 0], biasInput: 2,
            attributes: ["alpha", "beta", "transA", "transB", "broadcast"]),
        // A · B; as B [in, out], as A [out, in]
        LayerOperator(operation: "MatMul", form: .matMul, weightInputs: [1, 0], biasInput: nil, attributes: []),
    ]

    static let holding: [HoldingOperator] = [
        .init(operation: "LSTM", domain: "", weightInputs: [1, 2], reason: .recurrentOperator),
        .init(operation: "GRU", domain: "", weightInputs: [1, 2], reason: .recurrentOperator),
        .init(operation: "RNN", domain: "", weightInputs: [1, 2], reason: .recurrentOperator),
        .init(operation: "QLinearConv", domain: "", weightInputs: [3], reason: .quantizedOperator),
        .init(operation: "QLinearMatMul", domain: "", weightInputs: [3, 0], reason: .quantizedOperator),
        .init(operation: "ConvInteger", domain: "", weightInputs: [1], reason: .quantizedOperator),
        .init(operation: "MatMulInteger", domain: "", weightInputs: [1, 0], reason: .quantizedOperator),
        .init(operation: "DeformConv", domain: "", weightInputs: [1], reason: .fusedOperator),
        .init(operation: "FusedConv", domain: microsoft, weightInputs: [1], reason: .fusedOperator),
        .init(operation: "FusedGemm", domain: microsoft, weightInputs: [1, 0], reason: .fusedOperator),
        .init(operation: "FusedMatMul", domain: microsoft, weightInputs: [1, 0], reason: .fusedOperator),
        .init(operation: "NhwcConv", domain: microsoft, weightInputs: [1], reason: .fusedOperator),
        .init(operation: "Attention", domain: microsoft, weightInputs: [1], reason: .attentionOperator),
        .init(operation: "DecoderAttention", domain: microsoft, weightInputs: [2, 3], reason: .attentionOperator),
        .init(operation: "LongformerAttention", domain: microsoft, weightInputs: [1], reason: .attentionOperator),
        .init(operation: "QAttention", domain: microsoft, weightInputs: [1], reason: .quantizedOperator),
        .init(operation: "QGemm", domain: microsoft, weightInputs: [3], reason: .quantizedOperator),
        .init(operation: "MatMulInteger16", domain: microsoft, weightInputs: [1], reason: .quantizedOperator),
        .init(operation: "MatMulIntegerToFloat", domain: microsoft, weightInputs: [1], reason: .quantizedOperator),
        .init(operation: "DynamicQuantizeMatMul", domain: microsoft, weightInputs: [1], reason: .quantizedOperator),
        .init(operation: "DynamicQuantizeLSTM", domain: microsoft, weightInputs: [1, 2], reason: .quantizedOperator),
        .init(operation: "MatMulNBits", domain: microsoft, weightInputs: [1], reason: .quantizedOperator),
        .init(operation: "MatMulBnb4", domain: microsoft, weightInputs: [1], reason: .quantizedOperator),
        .init(operation: "MatMulFpQ4", domain: microsoft, weightInputs: [1], reason: .quantizedOperator),
        .init(operation: "QLinearConv", domain: microsoft, weightInputs: [3], reason: .quantizedOperator),
    ]

    /// Operators that give integers their real value back: a weight behind one is a quantized weight.
    static let dequantizing: Set<String> = ["DequantizeLinear"]

    /// Operators whose output differs from run to run, so that constant inputs do not make it a constant.
    static let random: Set<String> = [
        "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli",
    ]

    /// Operators between the classifier's last layer and the output that keep its scores apart by class.
    static let passingScores: Set<String> = [
        "Softmax", "LogSoftmax", "Sigmoid", "HardSigmoid", "Identity", "Cast", "Dropout", "Reshape", "Flatten",
        "Squeeze", "Unsqueeze",
    ]

    static let microsoft = "com.microsoft"

    static let layerByOperation = Dictionary(uniqueKeysWithValues: layers.map { ($0.operation, $0) })

    static let holdingByOperation = Dictionary(grouping: holding, by: \.operation)
}
