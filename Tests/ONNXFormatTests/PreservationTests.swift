internal import ConverterKit
internal import ONNXFormat
internal import TestSupport
internal import Testing

/// What is not changed comes out as it came in.
struct PreservationTests {
    typealias B = ONNXBuilder

    @Test func `a model with every kind of field comes out with the same bytes`() throws {
        let bytes = SampleModel.everyKind
        #expect(try ModelFolder().roundTrip(bytes) == bytes)
    }

    /// An absent field and an empty or zero one are not the same.
    static let presence: [FileCase] = {
        let relu = B.node("Relu", ["x"], ["y"])
        func model(_ node: Wire, graph extra: Wire = [], model last: Wire = []) -> [UInt8] {
            Wire(B.model(graph: B.graph(nodes: [node.sorted], extra: extra).sorted, extra: last)).sorted.bytes
        }
        let w = Wire.message(5, B.tensor("", dims: [0], .field(9, [])))
        return [
            FileCase("nothing optional", model(relu), nil),
            FileCase("node name", model(relu + .string(3, "")), nil),
            FileCase("node domain", model(relu + .string(7, "")), nil),
            FileCase("node overload", model(relu + .string(8, "")), nil),
            FileCase("node doc string", model(relu + .string(6, "")), nil),
            FileCase("node doc string that is not text", model(relu + .field(6, [0xff, 0])), nil),
            FileCase("graph doc string", model(relu, graph: .string(10, "")), nil),
            FileCase("model version 0", model(relu, model: .int(5, 0)), nil),
            FileCase("producer", model(relu, model: .string(2, "")), nil),
            FileCase("metadata without a value", model(relu, model: .message(14, .string(1, "k"))), nil),
            FileCase("metadata without anything", model(relu, model: .message(14, [])), nil),
            FileCase("raw data without bytes", model(relu, graph: w), nil),
            FileCase("tensor without payload", model(relu, graph: .message(5, B.tensor("w", dims: [0, 3]))), nil),
            FileCase(
                "data location of zero",
                model(relu, graph: .message(5, B.tensor("w", dims: [1], B.raw([1]) + .int(14, 0)))), nil),
            FileCase(
                "external entries that are not in use",
                model(
                    relu,
                    graph: .message(
                        5, B.tensor("w", dims: [1], B.raw([1]) + .message(13, .string(1, "location"))))), nil),
            FileCase("attribute of type 99", model(relu + .message(5, B.attribute("a", type: 99, .int(3, 1)))), nil),
            FileCase("attribute of type 0", model(relu + .message(5, .string(1, "a") + .int(20, 0))), nil),
            FileCase(
                "attribute with two values",
                model(relu + .message(5, B.attribute("a", type: 2, .float(2, 1) + .int(3, 1)))), nil),
            FileCase("attribute without name", model(relu + .message(5, .int(3, 1) + .int(20, 2))), nil),
            FileCase(
                "reference with a type", model(relu + .message(5, .string(1, "a") + .int(20, 1) + .string(21, "p"))),
                nil),
            FileCase("value without type", model(relu, graph: .message(13, .string(1, "v"))), nil),
            FileCase(
                "value with an empty type", model(relu, graph: .message(13, .string(1, "v") + .message(2, []))), nil),
            FileCase(
                "sequence, optional and map",
                model(
                    relu,
                    graph: .message(
                        13, .string(1, "a") + .message(2, .message(4, .message(1, .message(1, .int(1, 1))))))
                        + .message(13, .string(1, "b") + .message(2, .message(9, .message(1, .message(1, .int(1, 1))))))
                        + .message(13, .string(1, "c") + .message(2, .message(5, .int(1, 7))))), nil),
        ]
    }()

    @Test(arguments: presence)
    func `absent and empty are kept apart`(_ file: FileCase) throws {
        #expect(try ModelFolder().roundTrip(file.bytes) == file.bytes)
    }

    @Test func `attributes are decoded, the type inferred where it is missing`() throws {
        let model = try ModelFolder().read(SampleModel.everyKind)
        let node = model.graph.nodes[0]
        func int(_ name: String) -> Int64? { if case .int(let value) = node[attribute: name] { value } else { nil } }
        #expect(int("int") == -1 && int("untyped") == 7 && int("zero") == 0 && int("noted") == 1)
        guard case .ints([1, 2]) = node[attribute: "ints"], case .float(0.5) = node[attribute: "float"],
            case .string(let text) = node[attribute: "string"], case .tensor(let tensor) = node[attribute: "tensor"],
            case .graph(let graph) = node[attribute: "graph"], case .other = node[attribute: "sparse"],
            case .ints([]) = node[attribute: "none"]
        else {
            Issue.record("\(node.attributes)")
            return
        }
        #expect(text == Array("text".utf8) && graph.nodes.count == 1)
        #expect(try tensor.floats() == [1])
        #expect(node.inputs == ["x", "", "w"] && node.overload == "over")
        #expect(model.functions[0].overload == "" && model.modelVersion == 0 && model.producerName == "")
    }

    @Test func `a changed attribute is written anew, with what the kit does not know`() throws {
        let folder = try ModelFolder()
        var model = try folder.read(SampleModel.everyKind)
        for index in model.graph.nodes[0].attributes.indices {
            let name = model.graph.nodes[0].attributes[index].name
            if name == "untyped" || name == "noted" { model.graph.nodes[0].attributes[index].value = .int(42) }
        }
        let written = try ModelWriter.write(model, to: folder.makeFolder("out"), name: "m")
        let again = try ModelReader.read(path: written.file)
        let attributes = again.graph.nodes[0].attributes.filter { ["untyped", "noted"].contains($0.name) }
        #expect(attributes.count == 2)
        for attribute in attributes {
            guard case .int(42) = attribute.value else {
                Issue.record("\(attribute)")
                continue
            }
            #expect(attribute.encoded == nil && attribute.unmodelled.isEmpty == (attribute.name == "untyped"))
        }
    }

    @Test func `types are decoded`() throws {
        let shape = Wire.message(1, .int(1, 3)) + .message(1, .string(2, "N")) + .message(1, .string(3, "DATA"))
        let value = Wire.string(1, "v") + .message(2, .message(1, .int(1, 10) + .message(2, shape)))
        let graph = B.graph(nodes: [B.node("Relu", ["x"], ["y"])], extra: .message(13, value))
        let model = try ModelFolder().read(B.model(graph: graph))
        #expect(
            model.graph.valueInfo[0].tensorType
                == TensorType(elementTypeNumber: 10, shape: [.fixed(3), .symbol("N"), .unknown]))
        #expect(model.graph.inputs[0].tensorType == TensorType(elementTypeNumber: 1, shape: nil))
    }
}
