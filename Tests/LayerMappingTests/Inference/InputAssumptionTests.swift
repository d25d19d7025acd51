import ConverterKit
import Decompositions
import LayerMapping
import Testing

@Suite struct InputAssumptionTests {
    private static func model(_ shape: [TensorType.Dimension], weight: [Int], operation: String) throws -> Model {
        var model = Build.single(
            Build.node(operation, ["x", "w"], ["h"], name: "n"), weights: [try Build.tensor("w", weight)], input: [1])
        model.graph.inputs = [ValueInfo(name: "x", tensorType: TensorType(elementTypeNumber: 1, shape: shape))]
        return model
    }

    @Test func aFreeBatchIsOneAndAFreeImageIsAssumedAndSaid() throws {
        let model = try Self.model(
            [.symbol("N"), .fixed(3), .symbol("H"), .unknown], weight: [4, 3, 3, 3], operation: "Conv")
        let map = try LayerMap(of: model)
        #expect(map.layers.first?.shape.outputExtent == [222, 222])
        #expect(map.cost.assumed.map { [$0.axis, $0.extent] } == [[2, 224], [3, 224]])
        #expect(map.cost.assumed.map(\.symbol) == ["H", nil])
        let stated = try LayerMap(of: model, options: MappingOptions(inputShapes: ["x": [1, 3, 10, 12]]))
        #expect(stated.layers.first?.shape.outputExtent == [8, 10])
        #expect(stated.cost.assumed.isEmpty && stated.cost.macs == 80 * 4 * 27)
    }

    @Test func aFreeSequenceIsAssumedAndAPastIsEmpty() throws {
        var model = try Self.model([.symbol("batch"), .symbol("seq"), .fixed(8)], weight: [8, 8], operation: "MatMul")
        model.graph.inputs.append(
            ValueInfo(
                name: "past",
                tensorType: TensorType(
                    elementTypeNumber: 1, shape: [.fixed(2), .symbol("batch"), .symbol("past_seq"), .symbol("seq")])))
        let map = try LayerMap(of: model)
        #expect(map.layers.first?.shape.inputExtent == [128])
        #expect(map.cost.assumed.map { "\($0.input) \($0.axis) \($0.extent)" } == ["x 1 128", "past 2 0"])
    }

    @Test func statedTypesOfInnerValuesHelpWhereARuleIsMissing() throws {
        var model = try Self.model([.symbol("N"), .fixed(8)], weight: [8, 8], operation: "MatMul")
        model.graph.nodes.insert(Build.node("Unheard", ["x"], ["u"], domain: "far.away"), at: 0)
        model.graph.nodes[1].inputs[0] = "u"
        let unknown = try LayerMap(of: model)
        #expect(unknown.layers.first?.isExtentKnown == false)
        #expect(unknown.cost.uncounted == ["n"] && unknown.cost.macs == 0)
        model.graph.valueInfo = [
            ValueInfo(
                name: "u", tensorType: TensorType(elementTypeNumber: 1, shape: [.symbol("N"), .fixed(6), .fixed(8)]))
        ]
        let known = try LayerMap(of: model)
        #expect(known.layers.first?.shape.inputExtent == [6])
        #expect(known.cost.uncounted.isEmpty)
    }

    @Test func extentsBeyondAnyModelAreUnknownAndNoOverflow() throws {
        let model = try Self.model(
            [.fixed(1 << 31), .fixed(1 << 31), .fixed(1 << 31), .fixed(8)], weight: [8, 8], operation: "MatMul")
        let map = try LayerMap(of: model)
        #expect(map.layers.first?.isExtentKnown == false && map.cost.uncounted == ["n"])
        let larger = try Self.model([.fixed(.max), .fixed(8)], weight: [8, 8], operation: "MatMul")
        #expect(try LayerMap(of: larger).layers.first?.isExtentKnown == false)
    }
}
