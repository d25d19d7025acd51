import ConverterKit
import Decompositions
import LayerMapping
import Testing

@Suite struct ThinPathTests {
    @Test func aConvolutionIsFoundAndWrittenAsThreeLinks() throws {
        let node = Build.node(
            "Conv", ["x", "w", "b"], ["c"], name: "/conv1/Conv",
            [("strides", .ints([2, 2])), ("pads", .ints([1, 1, 1, 1])), ("kernel_shape", .ints([3, 3]))])
        let model = Build.single(
            node, weights: [try Build.tensor("w", [8, 4, 3, 3]), try Build.tensor("b", [8])], input: [1, 4, 16, 16])
        let map = try LayerMap(of: model)
        let layer = try #require(map.layers.first)
        #expect(map.kept.isEmpty)
        #expect(layer.id == "/conv1/Conv")
        #expect(layer.shape.inputExtent == [16, 16])
        #expect(layer.shape.outputExtent == [8, 8])
        #expect(map.cost.macs == 8 * 8 * 8 * 4 * 9)
        #expect(map.cost.parameters == 8 * 4 * 9 + 8)
        let result = try model.replacing([
            Replacement(layer: layer, chain: try Chain.identityAround(layer), decomposition: "tt")
        ])
        #expect(result.graph.nodes.map(\.operation) == ["Conv", "Conv", "Conv", "Relu"])
        #expect(
            result.graph.nodes.map { $0.name ?? "" } == [
                "/conv1/Conv/tt_0", "/conv1/Conv/tt_1", "/conv1/Conv/tt_2", "relu",
            ])
        #expect(result.graph.initializers.map { $0.name ?? "" } == ["w/tt_0", "w/tt_1", "w/tt_2", "b"])
        #expect(result.graph.nodes[2].inputs == ["c/tt_1", "w/tt_2", "b"])
        #expect(result.graph.nodes[2].outputs == ["c"])
    }

    @Test(arguments: ["Gemm", "MatMul"])
    func aLinearLayerIsFoundAndWrittenAsAPair(operation: String) throws {
        let model = Build.single(
            Build.node(operation, ["x", "w"], ["h"], name: "fc"), weights: [try Build.tensor("w", [12, 20])],
            input: [1, 12])
        let map = try LayerMap(of: model)
        let layer = try #require(map.layers.first)
        #expect(layer.shape.inChannels == 12 && layer.shape.outChannels == 20)
        let result = try model.replacing([
            Replacement(layer: layer, chain: try Chain.identityLast(layer), decomposition: "svd")
        ])
        #expect(result.graph.nodes.map(\.operation) == ["MatMul", operation, "Relu"])
        #expect(result.graph.initializers.map(\.shape) == [[12, 20], [20, 20]])
    }
}
