import ConverterKit
import LayerMapping
import Testing

@Suite struct GraphCheckTests {
    struct FaultCase: Sendable, CustomStringConvertible {
        var code: String
        var nodes: [Node]
        var outputs = ["y"]

        var description: String { code }
    }

    static let cases: [FaultCase] = [
        FaultCase(code: "graph.dangling-input", nodes: [Build.node("Relu", ["nowhere"], ["y"])]),
        FaultCase(code: "graph.missing-output", nodes: [Build.node("Relu", ["x"], ["z"])]),
        FaultCase(
            code: "graph.duplicate-value", nodes: [Build.node("Relu", ["x"], ["y"]), Build.node("Neg", ["x"], ["y"])]),
        FaultCase(code: "graph.duplicate-value", nodes: [Build.node("Relu", ["x"], ["x"])], outputs: ["x"]),
        FaultCase(
            code: "graph.unsorted", nodes: [Build.node("Relu", ["z"], ["y"]), Build.node("Neg", ["x"], ["z"])]),
        FaultCase(
            code: "graph.cycle",
            nodes: [
                Build.node("Add", ["x", "c"], ["a"], name: "one"), Build.node("Relu", ["a"], ["b"], name: "two"),
                Build.node("Neg", ["b"], ["c"], name: "three"), Build.node("Neg", ["c"], ["y"]),
            ]),
    ]

    @Test(arguments: cases)
    func aModelThatIsNotWellFormedIsRefused(fault: FaultCase) throws {
        let model = Build.model(
            Build.graph(
                inputs: [Build.info("x", [1])], outputs: fault.outputs.map { Build.info($0, nil) }, nodes: fault.nodes))
        let error = try #require(throws: ConversionError.self) { try LayerMap(of: model) }
        #expect(error.code.name == fault.code && error.kind == .badInput)
        if fault.code == "graph.cycle" {
            for name in ["one", "two", "three"] { #expect(error.message.contains(name), "\(error.message)") }
        }
    }

    @Test(arguments: [1, 3])
    func functionsThatCallThemselvesAreRefused(length: Int) throws {
        var model = Build.model(
            Build.graph(
                inputs: [Build.info("x", [1])], outputs: [Build.info("y", nil)],
                nodes: [Build.node("F0", ["x"], ["y"], domain: "my")]))
        model.functions = (0..<length).map { index in
            Function(
                name: "F\(index)", domain: "my", overload: nil, inputs: ["a"], outputs: ["c"],
                nodes: [Build.node("F\((index + 1) % length)", ["a"], ["c"], domain: "my")], operatorSets: [],
                docString: nil, unmodelled: [])
        }
        let error = try #require(throws: ConversionError.self) { try LayerMap(of: model) }
        #expect(error.code == "graph.recursive-function")
    }

    @Test func aSparseInitializerIsNoDanglingInput() throws {
        var model = Build.model(
            Build.graph(
                inputs: [Build.info("x", [1])], outputs: [Build.info("y", nil)],
                nodes: [Build.node("Add", ["x", "sparse"], ["y"])]))
        model.graph.unmodelled = Array("..sparse..".utf8)
        #expect(try LayerMap(of: model).layers.isEmpty)
    }

    @Test func functionsThatDoubleTheirCallsEndInTime() throws {
        var model = Build.model(
            Build.graph(
                inputs: [Build.info("x", [1])], outputs: [Build.info("y", nil)],
                nodes: [Build.node("F0", ["x"], ["y"], domain: "my")]))
        model.functions = (0..<50).map { index in
            Function(
                name: "F\(index)", domain: "my", overload: nil, inputs: ["a"], outputs: ["c"],
                nodes: [
                    Build.node("F\(index + 1)", ["a"], ["b"], domain: "my"),
                    Build.node("F\(index + 1)", ["b"], ["c"], domain: "my"),
                ], operatorSets: [], docString: nil, unmodelled: [])
        }
        #expect(try LayerMap(of: model).cost.macs == 0)
    }
}
