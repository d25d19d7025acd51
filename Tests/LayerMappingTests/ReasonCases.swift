import ConverterKit
import Decompositions
import LayerMapping

extension ReasonTests {
    static let cases: [ReasonCase] = byChoice + byOperator + byWeight + byUse

    private static let byChoice: [ReasonCase] = [
        ReasonCase(reason: .excluded, options: MappingOptions(exclude: ["n"])) { try plain() },
        ReasonCase(reason: .notIncluded, options: MappingOptions(include: ["other*"])) { try plain() },
        ReasonCase(reason: .depthwise) {
            try single(conv([("group", .int(8))]), [8, 1, 3, 3], [1, 8, 9, 9])
        },
        ReasonCase(reason: .classifierHead, options: MappingOptions(exclude: ["first"])) {
            try head([Build.node("Softmax", ["h"], ["y"])])
        },
        ReasonCase(reason: .classifierHead, options: MappingOptions(exclude: ["first"]), note: "with a bias") {
            try head([Build.node("Add", ["h", "b"], ["a"]), Build.node("Identity", ["a"], ["y"])])
        },
        ReasonCase(reason: .shortcut, options: MappingOptions(exclude: ["main"])) { try shortcut() },
        ReasonCase(reason: .noRankPays) { try single(matMul(), [2, 2], [1, 2]) },
        ReasonCase(reason: .noRankPays, note: "one output channel") { try single(matMul(), [64, 1], [1, 64]) },
    ]

    private static let byOperator: [ReasonCase] = [
        ReasonCase(reason: .recurrentOperator) {
            Build.single(
                Build.node("LSTM", ["x", "w", "r"], ["h"], name: "n", [("hidden_size", .int(4))]),
                weights: [try Build.tensor("w", [1, 16, 3]), try Build.tensor("r", [1, 16, 4])], input: [5, 1, 3])
        },
        ReasonCase(reason: .quantizedOperator) {
            Build.single(
                Build.node("MatMulInteger", ["x", "w"], ["h"], name: "n"), weights: [try bytes("w", [8, 8])],
                input: [1, 8])
        },
        ReasonCase(reason: .fusedOperator) {
            Build.single(
                Build.node("FusedConv", ["x", "w"], ["h"], name: "n", domain: "com.microsoft"),
                weights: [try Build.tensor("w", [8, 8, 3, 3])], input: [1, 8, 9, 9])
        },
        ReasonCase(reason: .attentionOperator) {
            Build.single(
                Build.node(
                    "Attention", ["x", "w"], ["h"], name: "n", [("num_heads", .int(2))], domain: "com.microsoft"),
                weights: [try Build.tensor("w", [8, 24])], input: [1, 5, 8])
        },
        ReasonCase(reason: .unknownAttribute) {
            try single(conv([("activation", .int(1))]), [8, 8, 3, 3], [1, 8, 9, 9])
        },
        ReasonCase(reason: .attributeReference) {
            try single(conv([("strides", .reference("s"))]), [8, 8, 3, 3], [1, 8, 9, 9])
        },
        ReasonCase(reason: .transposedOutputShape) {
            try single(
                conv([("output_shape", .ints([18, 18])), ("strides", .ints([2, 2]))], operation: "ConvTranspose"),
                [8, 8, 3, 3], [1, 8, 9, 9])
        },
    ]

    private static let byWeight: [ReasonCase] = [
        ReasonCase(reason: .quantizedWeight) {
            Build.single(
                matMul(), weights: [try bytes("q", [8, 8]), try Build.tensor("s", [])], input: [1, 8],
                before: [Build.node("DequantizeLinear", ["q", "s"], ["w"])])
        },
        ReasonCase(reason: .weightNotConstant) {
            Build.single(
                conv(), weights: [], input: [8, 8, 9, 9], before: [Build.node("Sigmoid", ["x"], ["w"])])
        },
        ReasonCase(reason: .weightComputed) {
            Build.single(
                matMul(), weights: [try Build.tensor("v", [8, 8])], input: [1, 8],
                before: [Build.node("Mul", ["v", "v"], ["w"])])
        },
        ReasonCase(reason: .weightElementType) {
            Build.single(
                matMul(), weights: [Build.integers("w", [Int64](repeating: 1, count: 64), shape: [8, 8])],
                input: [1, 8])
        },
        ReasonCase(reason: .weightRank) { try single(matMul(), [8], [1, 8]) },
        ReasonCase(reason: .weightRank, note: "a matrix in a convolution") { try single(conv(), [8, 8], [1, 8]) },
        ReasonCase(reason: .batchedWeight) { try single(matMul(), [2, 8, 8], [2, 3, 8]) },
        ReasonCase(reason: .weightShape) { try single(conv([("group", .int(3))]), [8, 8, 3, 3], [1, 8, 9, 9]) },
        ReasonCase(reason: .weightShape, note: "another kernel") {
            try single(conv([("kernel_shape", .ints([5, 5]))]), [8, 8, 3, 3], [1, 8, 9, 9])
        },
        ReasonCase(reason: .weightShape, note: "no elements") { try single(matMul(), [8, 0], [1, 8]) },
        ReasonCase(reason: .weightWithoutContent) {
            Build.single(
                matMul(),
                weights: [Tensor(name: "w", elementTypeNumber: 1, shape: [8, 8], payload: .none)], input: [1, 8])
        },
        ReasonCase(reason: .weightWithoutContent, note: "fewer bytes than the shape asks for") {
            Build.single(
                matMul(),
                weights: [
                    Tensor(name: "w", elementTypeNumber: 1, shape: [8, 8], payload: .raw(ByteSource([0, 0, 0, 0])))
                ], input: [1, 8])
        },
        ReasonCase(reason: .constantInput) {
            Build.single(
                matMul(["v", "w"]), weights: [try Build.tensor("v", [8, 8]), try Build.tensor("w", [8, 8])],
                input: [1, 8])
        },
    ]

    private static let byUse: [ReasonCase] = [
        ReasonCase(reason: .weightIsInput) {
            var model = Build.single(
                matMul(), weights: [try Build.tensor("w", [8, 8]), try Build.tensor("other", [1])], input: [1, 8])
            model.graph.inputs.append(Build.info("w", [8, 8]))
            return model
        },
        ReasonCase(reason: .weightIsOutput) {
            var model = try plain()
            model.graph.outputs.append(Build.info("w", [8, 8]))
            return model
        },
        ReasonCase(reason: .weightIsFunctionInput) {
            var model = Build.model(
                Build.graph(
                    inputs: [Build.info("x", [1, 8])], outputs: [Build.info("y", nil)],
                    initializers: [try Build.tensor("w", [8, 8])],
                    nodes: [Build.node("F", ["x", "w"], ["y"], name: "call", domain: "my")]))
            model.functions = [
                function(inputs: ["a", "b"], nodes: [Build.node("MatMul", ["a", "b"], ["c"], name: "n")])
            ]
            return model
        },
        ReasonCase(reason: .weightSharedWithOtherUse) {
            var model = try plain()
            model.graph.nodes.append(Build.node("Transpose", ["w"], ["t"]))
            model.graph.outputs.append(Build.info("t", nil))
            return model
        },
        ReasonCase(
            reason: .weightSharedWithOtherUse, options: MappingOptions(exclude: ["m"]), note: "a layer that stays"
        ) {
            var model = try plain()
            model.graph.nodes.insert(Build.node("MatMul", ["x", "w"], ["z"], name: "m"), at: 0)
            return model
        },
        ReasonCase(reason: .weightViewsDiffer) {
            var model = try plain()
            model.graph.nodes.insert(
                Build.node("Gemm", ["x", "w"], ["z"], name: "m", [("transB", .int(1))]), at: 0)
            return model
        },
        ReasonCase(reason: .weightAnnotated) {
            var model = try plain()
            // An annotation of the tensor "w": field 14 of a graph, whose first field is the name.
            model.graph.unmodelled = [0x72, 0x03, 0x0A, 0x01, UInt8(ascii: "w")]
            return model
        },
    ]

    static func function(inputs: [String], nodes: [Node]) -> Function {
        Function(
            name: "F", domain: "my", overload: nil, inputs: inputs, outputs: ["c"], nodes: nodes,
            operatorSets: [OperatorSet(domain: "", version: 17)], docString: nil, unmodelled: [])
    }

    static func plain() throws -> Model { try single(matMul(), [8, 8], [1, 8]) }

    private static func single(_ node: Node, _ weight: [Int], _ input: [Int]) throws -> Model {
        Build.single(node, weights: [try Build.tensor("w", weight)], input: input)
    }

    private static func bytes(_ name: String, _ shape: [Int]) throws -> Tensor {
        Tensor(
            name: name, elementTypeNumber: ElementType.uint8.rawValue, shape: shape.map { Int64($0) },
            payload: .raw(ByteSource([UInt8](repeating: 3, count: shape.reduce(1, *)))))
    }

    private static func head(_ nodes: [Node]) throws -> Model {
        Build.model(
            Build.graph(
                inputs: [Build.info("x", [1, 8])], outputs: [Build.info("y", nil)],
                initializers: [
                    try Build.tensor("v", [8, 8]), try Build.tensor("w", [8, 10]), try Build.tensor("b", [10]),
                ],
                nodes: [Build.node("MatMul", ["x", "v"], ["f"], name: "first"), matMul(["f", "w"])] + nodes))
    }

    private static func shortcut() throws -> Model {
        Build.model(
            Build.graph(
                inputs: [Build.info("x", [1, 8, 9, 9])], outputs: [Build.info("y", nil)],
                initializers: [try Build.tensor("w", [8, 8, 1, 1]), try Build.tensor("v", [8, 8, 3, 3])],
                nodes: [
                    Build.node("Relu", ["x"], ["r"]),
                    Build.node("Conv", ["r", "v"], ["m"], name: "main", [("pads", .ints([1, 1, 1, 1]))]),
                    Build.node("Conv", ["r", "w"], ["h"], name: "n"),
                    Build.node("Add", ["m", "h"], ["s"]), Build.node("Relu", ["s"], ["y"]),
                ]))
    }
}
