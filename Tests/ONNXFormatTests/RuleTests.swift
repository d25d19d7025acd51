internal import ConverterKit
internal import TestSupport
internal import Testing

/// Versions, names, order, functions.
struct RuleTests {
    typealias B = ONNXBuilder
    private static let relu = B.node("Relu", ["x"], ["y"])
    private static let plain = B.graph(nodes: [relu])

    private static func graph(
        _ nodes: [Wire], _ initializers: [Wire] = [], inputs: [String] = ["x"], outputs: [String] = ["y"],
        extra: Wire = []
    ) -> [UInt8] {
        B.model(
            graph: B.graph(nodes: nodes, initializers: initializers, inputs: inputs, outputs: outputs, extra: extra))
    }

    private static func branch(_ nodes: [Wire], outputs: [String] = ["z"]) -> Wire {
        B.attribute("body", type: 5, .message(6, B.graph(nodes: nodes, inputs: [], outputs: outputs)))
    }

    private static let weight = B.tensor("w", dims: [1], B.raw([1]))

    static let versions: [FileCase] = [
        FileCase("IR version absent", B.model(irVersion: nil, graph: plain), "onnx.ir-version.missing"),
        FileCase("IR version 0", B.model(irVersion: 0, graph: plain), "onnx.ir-version.invalid"),
        FileCase("IR version -1", B.model(irVersion: -1, graph: plain), "onnx.ir-version.invalid"),
        FileCase("IR version 99", B.model(irVersion: 99, graph: plain), nil),
        FileCase("no operator set", B.model(operatorSets: [], graph: plain), "onnx.operator-sets.missing"),
        FileCase("no operator set in IR version 2", B.model(irVersion: 2, operatorSets: [], graph: plain), nil),
        FileCase("opset 0", B.model(operatorSets: [("", 0)], graph: plain), "onnx.operator-sets.invalid-version"),
        FileCase("opset -1", B.model(operatorSets: [("", -1)], graph: plain), "onnx.operator-sets.invalid-version"),
        FileCase(
            "opset absent", B.model(operatorSets: [("", nil)], graph: plain), "onnx.operator-sets.invalid-version"),
        FileCase(
            "opset 10^9", B.model(operatorSets: [("", 1_000_000_000)], graph: plain),
            "onnx.operator-sets.invalid-version"),
        FileCase("opset 99", B.model(operatorSets: [("", 99)], graph: plain), nil),
        FileCase("a vendor's date", B.model(operatorSets: [("", 17), ("vendor", 20_260_101)], graph: plain), nil),
        FileCase(
            "two of a domain", B.model(operatorSets: [("", 17), ("", 13)], graph: plain), "onnx.operator-sets.duplicate"
        ),
        FileCase(
            "one domain by two names", B.model(operatorSets: [(nil, 17), ("ai.onnx", 17)], graph: plain),
            "onnx.operator-sets.duplicate"),
    ]

    static let graphs: [FileCase] = [
        FileCase("optional input left out", graph([B.node("Clip", ["x", "", "w"], ["y", ""])], [weight]), nil),
        FileCase("output that is an input", graph([], outputs: ["x"]), nil),
        FileCase("output that is an initializer", graph([], [weight], outputs: ["w"]), nil),
        FileCase("input with a default", graph([relu], [weight], inputs: ["x", "w"]), nil),
        FileCase(
            "two nodes of a name",
            graph([B.node("Relu", ["x"], ["h"], name: "n"), B.node("Relu", ["h"], ["y"], name: "n")]), nil),
        FileCase("unknown operator and domain", graph([B.node("Nothing", ["x"], ["y"], domain: "none")]), nil),
        FileCase("dangling input", graph([B.node("Add", ["x", "q"], ["y"])]), "onnx.graph.dangling-input"),
        FileCase("missing output", graph([relu], outputs: ["y", "q"]), "onnx.graph.missing-output"),
        FileCase("output without name", graph([relu], outputs: [""]), "onnx.graph.missing-output"),
        FileCase("duplicate output", graph([relu, relu]), "onnx.graph.duplicate-output"),
        FileCase(
            "output twice in one node", graph([B.node("Split", ["x"], ["y", "y"])]), "onnx.graph.duplicate-output"),
        FileCase(
            "output over an input", graph([B.node("Relu", ["x"], ["x"])], outputs: ["x"]), "onnx.graph.duplicate-output"
        ),
        FileCase(
            "output over an initializer", graph([B.node("Relu", ["x"], ["w"])], [weight], outputs: ["w"]),
            "onnx.graph.duplicate-output"),
        FileCase("duplicate input", graph([relu], inputs: ["x", "x"]), "onnx.graph.duplicate-input"),
        FileCase("duplicate initializer", graph([relu], [weight, weight]), "onnx.graph.duplicate-initializer"),
        FileCase(
            "dense and sparse initializer of a name",
            graph([relu], [weight], extra: .message(15, .message(1, weight))), "onnx.graph.duplicate-initializer"),
        FileCase(
            "sparse initializer in use",
            graph([B.node("Add", ["x", "w"], ["y"])], extra: .message(15, .message(1, weight))), nil),
        FileCase(
            "unsorted", graph([B.node("Relu", ["h"], ["y"]), B.node("Relu", ["x"], ["h"])]), "onnx.graph.unsorted"),
        FileCase(
            "cycle",
            graph([B.node("Add", ["x", "b"], ["a"]), B.node("Relu", ["a"], ["b"]), B.node("Relu", ["b"], ["y"])]),
            "onnx.graph.cycle"),
        FileCase("node on itself", graph([B.node("Add", ["x", "y"], ["y"])]), "onnx.graph.cycle"),
        FileCase(
            "subgraph on an outer value",
            graph([B.node("If", ["x"], ["y"], attributes: [branch([B.node("Relu", ["x"], ["z"])])])]), nil),
        FileCase(
            "subgraph that shadows",
            graph([B.node("If", ["x"], ["y"], attributes: [branch([B.node("Relu", ["x"], ["y"])], outputs: ["y"])])]),
            nil),
        FileCase(
            "subgraph on nothing",
            graph([B.node("If", ["x"], ["y"], attributes: [branch([B.node("Relu", ["q"], ["z"])])])]),
            "onnx.graph.dangling-input"),
        FileCase(
            "subgraph on its own node",
            graph([B.node("If", ["x"], ["y"], attributes: [branch([B.node("Relu", ["y"], ["z"])])])]),
            "onnx.graph.cycle"),
        FileCase(
            "subgraph on a later value",
            graph([
                B.node("If", ["x"], ["h"], attributes: [branch([B.node("Relu", ["y"], ["z"])])]),
                B.node("Relu", ["x"], ["y"]),
            ]), "onnx.graph.unsorted"),
        FileCase(
            "inner value from outside",
            graph([
                B.node("If", ["x"], ["h"], attributes: [branch([B.node("Relu", ["x"], ["z"])])]),
                B.node("Relu", ["z"], ["y"]),
            ]), "onnx.graph.dangling-input"),
    ]

    private static func functions(_ bodies: [Wire]) -> [UInt8] {
        B.model(
            operatorSets: [("", 17), ("my", 1)], graph: B.graph(nodes: [B.node("f0", ["x"], ["y"], domain: "my")]),
            functions: bodies)
    }

    private static func call(_ name: String) -> Wire { B.node(name, ["a"], ["b"], domain: "my") }

    private static func inIf(_ name: String) -> Wire {
        B.node("If", ["a"], ["b"], attributes: [branch([B.node(name, ["a"], ["z"], domain: "my")])])
    }

    static let functionCases: [FileCase] = [
        FileCase("a call", functions([B.function("f0", nodes: [B.node("Relu", ["a"], ["b"])])]), nil),
        FileCase("recursion", functions([B.function("f0", nodes: [call("f0")])]), "onnx.function.recursive"),
        FileCase(
            "mutual recursion",
            functions([B.function("f0", nodes: [call("f1")]), B.function("f1", nodes: [call("f0")])]),
            "onnx.function.recursive"),
        FileCase(
            "recursion through If",
            functions([B.function("f0", nodes: [inIf("f1")]), B.function("f1", nodes: [inIf("f0")])]),
            "onnx.function.recursive"),
        FileCase(
            "duplicate",
            functions([
                B.function("f0", nodes: [B.node("Relu", ["a"], ["b"])]),
                B.function("f0", nodes: [B.node("Abs", ["a"], ["b"])]),
            ]), "onnx.function.duplicate"),
        FileCase(
            "overloads",
            functions([
                B.function("f0", nodes: [B.node("Relu", ["a"], ["b"])]),
                B.function("f0", nodes: [B.node("Abs", ["a"], ["b"])], extra: .string(13, "o")),
            ]), nil),
        FileCase("no name", functions([.string(10, "my")]), "onnx.function.no-name"),
        FileCase("missing output", functions([B.function("f0", nodes: [])]), "onnx.graph.missing-output"),
        FileCase(
            "cycle in the body", functions([B.function("f0", nodes: [B.node("Add", ["a", "b"], ["b"])])]),
            "onnx.graph.cycle"),
        FileCase(
            "64 deep",
            functions(
                (0..<64).map {
                    B.function("f\($0)", nodes: [$0 == 63 ? B.node("Relu", ["a"], ["b"]) : call("f\($0 + 1)")])
                }), nil),
        FileCase(
            "65 deep",
            functions(
                (0..<65).map {
                    B.function("f\($0)", nodes: [$0 == 64 ? B.node("Relu", ["a"], ["b"]) : call("f\($0 + 1)")])
                }), "onnx.function.call-depth"),
    ]

    @Test(arguments: versions)
    func `versions are stated once and make sense`(_ file: FileCase) throws {
        #expect(try ModelFolder().code(file.bytes) == file.code)
    }

    @Test(arguments: graphs)
    func `values are defined once and before use`(_ file: FileCase) throws {
        #expect(try ModelFolder().code(file.bytes) == file.code)
    }

    @Test(arguments: functionCases)
    func `functions are distinct and do not recur`(_ file: FileCase) throws {
        #expect(try ModelFolder().code(file.bytes) == file.code)
    }

    @Test func `a cycle is printed`() throws {
        let nodes = [
            B.node("Add", ["x", "b"], ["a"], name: "first"), B.node("Relu", ["a"], ["b"], name: "second"),
            B.node("Relu", ["b"], ["y"]),
        ]
        let error = #expect(throws: ConversionError.self) { try ModelFolder().read(Self.graph(nodes)) }
        #expect(error?.message.contains("first → second → first") == true, "\(String(describing: error))")
    }
}
