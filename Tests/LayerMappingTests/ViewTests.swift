import ConverterKit
import Decompositions
import LayerMapping
import Testing

/// A weight that reaches its node over other nodes.
struct ViewCase: Sendable, CustomStringConvertible {
    var description: String
    /// From the stored `v` to `w`.
    var views: [Node]
    var stored: [Int]
    var constants: [Tensor] = []
    var input: [Int] = [1, 4]
    var node = ReasonTests.matMul()
    var type = ElementType.float32
    /// What is left of the nodes after the rewrite.
    var operations = ["MatMul", "MatMul", "Relu"]

    func model() throws -> Model {
        Build.single(
            node, weights: [try Build.tensor("v", stored, type: type)] + constants, input: input, before: views)
    }
}

@Suite struct ViewTests {
    static let cases: [ViewCase] = [
        ViewCase(description: "identity", views: [Build.node("Identity", ["v"], ["w"])], stored: [4, 6]),
        ViewCase(description: "transpose", views: [Build.node("Transpose", ["v"], ["w"])], stored: [6, 4]),
        ViewCase(
            description: "transpose with stated axes",
            views: [Build.node("Transpose", ["v"], ["w"], [("perm", .ints([2, 0, 1]))])], stored: [4, 6, 1]),
        ViewCase(
            description: "reshape by a stored shape", views: [Build.node("Reshape", ["v", "s"], ["w"])],
            stored: [2, 2, 6], constants: [Build.integers("s", [4, -1])]),
        ViewCase(
            description: "reshape by a Constant node",
            views: [
                Build.node("Constant", [], ["s"], [("value_ints", .ints([0, 6]))]),
                Build.node("Reshape", ["v", "s"], ["w"]),
            ], stored: [4, 3, 2]),
        ViewCase(
            description: "reshape of operator set 1",
            views: [Build.node("Reshape", ["v"], ["w"], [("shape", .ints([4, 6]))])], stored: [24]),
        ViewCase(
            description: "flatten, squeeze, unsqueeze, identity",
            views: [
                Build.node("Unsqueeze", ["v"], ["a"], [("axes", .ints([0]))]),
                Build.node("Squeeze", ["a", "axes"], ["b"]), Build.node("Flatten", ["b"], ["c"]),
                Build.node("Identity", ["c"], ["w"]),
            ], stored: [4, 3, 2], constants: [Build.integers("axes", [0])]),
        ViewCase(
            description: "cast from half precision", views: [Build.node("Cast", ["v"], ["w"], [("to", .int(1))])],
            stored: [4, 6], type: .float16, operations: ["Cast", "Cast", "MatMul", "MatMul", "Relu"]),
        ViewCase(
            description: "cast, then transpose",
            views: [
                Build.node("Cast", ["v"], ["a"], name: "cast", [("to", .int(1))]),
                Build.node("Transpose", ["a"], ["w"]),
            ], stored: [6, 4], type: .bfloat16, operations: ["Cast", "Cast", "MatMul", "MatMul", "Relu"]),
        ViewCase(
            description: "a convolution's kernel behind a reshape",
            views: [Build.node("Reshape", ["v", "s"], ["w"])], stored: [6, 36],
            constants: [Build.integers("s", [6, 4, 3, 3])], input: [1, 4, 5, 5], node: ReasonTests.conv(),
            operations: ["Conv", "Conv", "Relu"]),
    ]

    @Test(arguments: cases)
    func aWeightBehindViewsIsReadAndReplacedWithThem(view: ViewCase) throws {
        let model = try view.model()
        let map = try LayerMap(of: model)
        let layer = try #require(map.layers.first, "\(view): \(map.kept)")
        #expect(layer.shape.inChannels == 4 && layer.shape.outChannels == 6, "\(view)")
        #expect(layer.weightName == "v" && layer.elementType == view.type, "\(view)")
        let result = try model.replacing([
            Replacement(layer: layer, chain: try Chain.identityLast(layer), decomposition: "svd")
        ])
        #expect(result.graph.nodes.map(\.operation) == view.operations, "\(view)")
        #expect(result.graph.initializers.map { $0.name ?? "" } == ["v/svd_0", "v/svd_1"], "\(view)")
        #expect(result.graph.initializers.allSatisfy { $0.elementType == view.type }, "\(view)")
        // The same model without the views computes what the rewritten one must.
        let weight = try layer.weight()
        var plain = model
        plain.graph.nodes.removeFirst(view.views.count)
        let isLinear = view.node.operation == "MatMul"
        var stored = weight
        if isLinear { for row in 0..<4 { for column in 0..<6 { stored[row * 6 + column] = weight[column * 4 + row] } } }
        plain.graph.initializers = [try Build.tensor("w", isLinear ? [4, 6] : [6, 4, 3, 3], values: stored)]
        let x = Dense.ramp(view.input)
        let expected = try Dense.run(plain.graph, x: x, result: "h")
        // A leading extent of 1 that the views give the weight adds one to the product.
        let actual = Dense(expected.shape, try Dense.run(result.graph, x: x, result: "h").values)
        let difference = expected.relativeDifference(to: actual)
        #expect(difference < 1e-5, "\(view)")
    }

    @Test func elementsFollowTheirViews() throws {
        let values = (0..<24).map { Float($0) }
        let model = Build.single(
            ReasonTests.matMul(), weights: [try Build.tensor("v", [6, 4], values: values)], input: [1, 4],
            before: [Build.node("Transpose", ["v"], ["w"])])
        // The node sees the transpose, [in, out]; the canonical layout turns it back.
        #expect(try LayerMap(of: model).layers.first?.weight() == values)
    }

    @Test(arguments: ["value", "value_floats"])
    func aWeightInAConstantNodeStaysInConstantNodes(attribute: String) throws {
        let tensor = try Build.tensor(nil, [4, 6])
        var before: [Node]
        if attribute == "value" {
            before = [Build.node("Constant", [], ["w"], name: "k", [("value", .tensor(tensor))])]
        } else {
            before = [
                Build.node("Constant", [], ["f"], name: "k", [("value_floats", .floats(try tensor.floats()))]),
                Build.node("Reshape", ["f", "s"], ["w"]),
            ]
        }
        let model = Build.single(
            ReasonTests.matMul(), weights: [Build.integers("s", [4, 6])], input: [1, 4], before: before)
        let map = try LayerMap(of: model)
        let layer = try #require(map.layers.first)
        #expect(map.cost.parameters == 24)
        let result = try model.replacing([
            Replacement(layer: layer, chain: try Chain.identityLast(layer), decomposition: "svd")
        ])
        #expect(result.graph.nodes.map(\.operation) == ["Constant", "Constant", "MatMul", "MatMul", "Relu"])
        let name = attribute == "value" ? "w" : "f"
        #expect(result.graph.nodes.prefix(2).map { $0.outputs } == [["\(name)/svd_0"], ["\(name)/svd_1"]])
        let x = Dense.ramp([1, 4])
        let after = try Dense.run(result.graph, x: x, result: "h")
        #expect(after.relativeDifference(to: x.times(try Dense(tensor))) < 1e-5)
    }

    @Test func aShapeThatOthersNeedStays() throws {
        var model = try Self.cases[3].model()
        model.graph.nodes.append(Build.node("Reshape", ["y", "s"], ["z"]))
        let layer = try #require(try LayerMap(of: model).layers.first)
        let result = try model.replacing([
            Replacement(layer: layer, chain: try Chain.identityLast(layer), decomposition: "svd")
        ])
        #expect(result.graph.initializers.map { $0.name ?? "" } == ["v/svd_0", "v/svd_1", "s"])
    }
}
