import ConverterKit
import Decompositions
import LayerMapping
import Testing

@Suite struct ScopeTests {
    private static func branch(_ weight: Tensor?, _ name: String, output: String) -> Graph {
        Build.graph(
            inputs: [], outputs: [Build.info(output, nil)], initializers: weight.map { [$0] } ?? [],
            nodes: [
                Build.node("MatMul", ["x", name], [output + "_h"]), Build.node("Relu", [output + "_h"], [output]),
            ])
    }

    private static func conditional(_ then: Graph, _ otherwise: Graph, initializers: [Tensor]) -> Model {
        Build.model(
            Build.graph(
                inputs: [Build.info("x", [3, 8]), Build.info("flag", [], type: .bool)],
                outputs: [Build.info("y", nil)], initializers: initializers,
                nodes: [
                    Build.node("Neg", ["x"], ["n"], name: "neg"),
                    Build.node(
                        "If", ["flag"], ["y"], [("then_branch", .graph(then)), ("else_branch", .graph(otherwise))]),
                ]))
    }

    @Test func aWeightInsideABranchIsFactorizedThere() throws {
        let model = Self.conditional(
            Self.branch(try Build.tensor("w", [8, 8]), "w", output: "a"),
            Self.branch(try Build.tensor("w", [8, 8]), "w", output: "b"), initializers: [])
        let map = try LayerMap(of: model)
        #expect(map.layers.map(\.id) == ["If_1/then_branch/MatMul_0", "If_1/else_branch/MatMul_0"])
        #expect(map.layers.allSatisfy { $0.shape.inputExtent == [3] })
        let result = try replaced(model, map)
        guard case .graph(let then)? = result.graph.nodes[1][attribute: "then_branch"],
            case .graph(let otherwise)? = result.graph.nodes[1][attribute: "else_branch"]
        else {
            Issue.record("the branches are gone")
            return
        }
        #expect(then.nodes.map(\.operation) == ["MatMul", "MatMul", "Relu"])
        #expect(then.initializers.map { $0.name ?? "" } == ["w/svd_0", "w/svd_1"])
        #expect(otherwise.initializers.map { $0.name ?? "" } == ["w/svd_0_1", "w/svd_1_1"])
        #expect(result.graph.nodes[0].name == "neg")
    }

    @Test func anOuterWeightOfTwoBranchesIsSharedByThem() throws {
        let model = Self.conditional(
            Self.branch(nil, "w", output: "a"), Self.branch(nil, "w", output: "b"),
            initializers: [try Build.tensor("w", [8, 8])])
        let map = try LayerMap(of: model)
        #expect(map.layers.count == 1 && map.layers[0].nodes.count == 2)
        let result = try replaced(model, map)
        #expect(result.graph.initializers.map { $0.name ?? "" } == ["w/svd_0", "w/svd_1"])
        #expect(try LayerMap(of: result).layers.map { $0.nodes.count } == [2, 2])
    }

    @Test func aLoopsBodyCountsAsOftenAsItRuns() throws {
        let body = Build.graph(
            inputs: [Build.info("i", []), Build.info("c", [], type: .bool), Build.info("s", [1, 8])],
            outputs: [Build.info("c", [], type: .bool), Build.info("t", [1, 8])],
            initializers: [try Build.tensor("w", [8, 8])],
            nodes: [Build.node("MatMul", ["s", "w"], ["u"], name: "inner"), Build.node("Relu", ["u"], ["t"])])
        let model = Build.model(
            Build.graph(
                inputs: [Build.info("x", [1, 8])], outputs: [Build.info("y", nil)],
                initializers: [Build.integers("trips", [5], shape: [])],
                nodes: [Build.node("Loop", ["trips", "", "x"], ["y"], name: "loop", [("body", .graph(body))])]))
        let map = try LayerMap(of: model)
        let layer = try #require(map.layers.first)
        #expect(layer.id == "loop/body/inner" && layer.uses == 5)
        #expect(map.cost.macs == 5 * 64 && layer.dense.macs == 5 * 64)
    }

    @Test func aWeightInAFunctionsBodyIsFactorizedOnceForAllCalls() throws {
        var model = Build.model(
            Build.graph(
                inputs: [Build.info("x", [2, 8])], outputs: [Build.info("y", nil)],
                nodes: [
                    Build.node("F", ["x"], ["z"], domain: "my"), Build.node("F", ["z"], ["y"], domain: "my"),
                ]))
        model.functions = [
            ReasonTests.function(
                inputs: ["a"],
                nodes: [
                    Build.node("Constant", [], ["w"], [("value", .tensor(try Build.tensor(nil, [8, 8])))]),
                    Build.node("MatMul", ["a", "w"], ["m"], name: "fc"), Build.node("Relu", ["m"], ["c"]),
                ])
        ]
        let map = try LayerMap(of: model)
        let layer = try #require(map.layers.first)
        #expect(layer.id == "my::F/fc" && layer.uses == 2 && map.cost.parameters == 64)
        #expect(map.cost.macs == 2 * 2 * 64)
        let result = try replaced(model, map)
        #expect(
            result.functions[0].nodes.map(\.operation) == ["Constant", "Constant", "MatMul", "MatMul", "Relu"])
        #expect(result.functions[0].nodes.last?.outputs == ["c"])
    }

    @Test func attributesThatACallerStatesCountInTheBody() throws {
        var model = Build.model(
            Build.graph(
                inputs: [Build.info("x", [1, 4, 8, 8])], outputs: [Build.info("y", nil)],
                initializers: [try Build.tensor("w", [4, 4, 1, 1])],
                nodes: [Build.node("F", ["x", "w"], ["y"], [("step", .ints([2, 2]))], domain: "my")]))
        model.functions = [
            ReasonTests.function(
                inputs: ["a", "b"], nodes: [Build.node("Conv", ["a", "b"], ["c"], [("strides", .reference("step"))])])
        ]
        #expect(try LayerMap(of: model).cost.macs == 16 * 16)
    }

    private func replaced(_ model: Model, _ map: LayerMap) throws -> Model {
        try model.replacing(
            try map.layers.map {
                Replacement(layer: $0, chain: try Chain.identityLast($0), decomposition: "svd")
            })
    }
}
