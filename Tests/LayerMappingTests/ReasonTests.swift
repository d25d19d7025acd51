import ConverterKit
import Decompositions
import LayerMapping
import Testing

/// A model in which some node stays for a reason.
struct ReasonCase: Sendable, CustomStringConvertible {
    var reason: KeepReason
    var options = MappingOptions()
    var note = ""
    var model: @Sendable () throws -> Model

    var description: String { reason.rawValue + (note.isEmpty ? "" : ", " + note) }
}

@Suite struct ReasonTests {
    static let byCaller: Set<KeepReason> = [
        .nonFiniteWeights, .decompositionFailed, .factorOverflow, .searchKeepsDense, .decompositionDoesNotApply,
        .memoryLimit, .errorAboveBound,
    ]

    @Test(arguments: cases)
    func aNodeStaysForItsReason(reason: ReasonCase) throws {
        let map = try LayerMap(of: try reason.model(), options: reason.options)
        #expect(map.kept.contains { $0.reason == reason.reason && !$0.message.isEmpty }, "\(reason): \(map.kept)")
        #expect(map.layers.isEmpty, "\(reason)")
    }

    @Test func everyReasonIsReached() {
        let reached = Set(Self.cases.map(\.reason)).union(Self.byCaller)
        #expect(Set(KeepReason.allCases).subtracting(reached).map(\.rawValue) == [])
    }

    @Test(arguments: Array(byCaller))
    func aCallerNotesWhatOnlyItCanTell(reason: KeepReason) throws {
        let model = Build.single(Self.matMul(), weights: [try Build.tensor("w", [8, 8])], input: [1, 8])
        var map = try LayerMap(of: model)
        map.keep(layer: "n", reason: reason, message: "told")
        #expect(map.layers.isEmpty)
        #expect(map.kept.map(\.reason) == [reason])
        #expect(map.kept.map(\.message) == ["told"])
    }

    @Test(arguments: cases.filter { [.depthwise, .classifierHead, .shortcut].contains($0.reason) })
    func anIncludedNodeIsFactorizedInSpiteOfTheDefault(reason: ReasonCase) throws {
        let map = try LayerMap(of: try reason.model(), options: MappingOptions(include: ["n"]))
        #expect(map.layers.map(\.id) == ["n"], "\(reason)")
        var options = MappingOptions()
        options.keepsDepthwise = false
        options.keepsClassifier = false
        options.keepsShortcuts = false
        #expect(try LayerMap(of: try reason.model(), options: options).layers.contains { $0.id == "n" }, "\(reason)")
    }

    @Test func exclusionIsStrongerThanInclusionAndUnmatchedPatternsAreTold() throws {
        let model = Build.single(Self.matMul(), weights: [try Build.tensor("w", [8, 8])], input: [1, 8])
        let options = MappingOptions(include: ["n", "nothing*"], exclude: ["?"])
        let map = try LayerMap(of: model, options: options)
        #expect(map.kept.map(\.reason) == [.excluded])
        #expect(map.unmatchedPatterns == ["n", "nothing*"])
        #expect(try LayerMap(of: model, options: MappingOptions(include: ["w"])).layers.count == 1)
    }

    static func matMul(_ inputs: [String] = ["x", "w"]) -> Node { Build.node("MatMul", inputs, ["h"], name: "n") }

    static func conv(_ attributes: [(String, Attribute.Value)] = [], operation: String = "Conv") -> Node {
        Build.node(operation, ["x", "w"], ["h"], name: "n", attributes)
    }

    @Test func theOnlyLayerIsNoClassifierHead() throws {
        var model = Build.single(Self.matMul(), weights: [try Build.tensor("w", [8, 8])], input: [1, 8])
        model.graph.nodes[1] = Build.node("Softmax", ["h"], ["y"])
        #expect(try LayerMap(of: model).layers.map(\.id) == ["n"])
    }

    @Test func aWeightAppliedTwiceIsNoClassifierHead() throws {
        var model = Build.single(Self.matMul(), weights: [try Build.tensor("w", [8, 8])], input: [1, 8])
        model.graph.nodes[1] = Build.node("MatMul", ["h", "w"], ["y"], name: "again")
        #expect(try LayerMap(of: model).layers.map(\.nodeIDs) == [["n", "again"]])
    }
}
