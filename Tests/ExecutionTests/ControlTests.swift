import ConverterKit
import Testing

@testable import Execution

@Suite("Control flow")
struct ControlTests {
    private func info(_ name: String, _ type: ElementType = .float32, _ shape: [Int64]? = nil) -> ValueInfo {
        ValueInfo(
            name: name,
            tensorType: TensorType(
                elementTypeNumber: type.rawValue, shape: shape.map { $0.map { TensorType.Dimension.fixed($0) } }))
    }

    private func graph(_ nodes: [Node], inputs: [ValueInfo], outputs: [ValueInfo]) -> Graph {
        var graph = Graph(name: "graph")
        (graph.nodes, graph.inputs, graph.outputs) = (nodes, inputs, outputs)
        return graph
    }

    private func run(_ graph: Graph, _ inputs: [String: RuntimeValue], version: Int64 = 17) throws
        -> [String: RuntimeValue]
    {
        var model = Model(format: "onnx", path: "", graph: graph)
        model.operatorSets = [OperatorSet(domain: "", version: version)]
        let executor = GraphExecutor(model, threads: 2)
        _ = try executor.run(inputs)
        return try executor.run(inputs)
    }

    /// Doubles the carried value, or joins it to itself, and gives it out in each iteration.
    private func loop(_ operation: Node, scans: Bool) -> Graph {
        let keep = Node(name: "keep", operation: "Identity", inputs: ["go"], outputs: ["go on"])
        let body = graph(
            [keep, operation], inputs: [info("i", .int64, []), info("go", .bool, []), info("x")],
            outputs: [info("go on", .bool, [])] + (scans ? [info("y"), info("y", .float32, [2])] : [info("y")]))
        let node = Node(
            name: "loop", operation: "Loop", inputs: ["count", "", "start"], outputs: scans ? ["end", "all"] : ["end"],
            attributes: [Attribute(name: "body", value: .graph(body))])
        return graph(
            [node], inputs: [info("count", .int64, []), info("start")],
            outputs: scans ? [info("end"), info("all")] : [info("end")])
    }

    @Test func aLoopCarriesAndCollects() throws {
        let double = Node(name: "double", operation: "Add", inputs: ["x", "x"], outputs: ["y"])
        let results = try run(
            loop(double, scans: true), ["count": .integers([3], []), "start": .floats([1, 2], [2])])
        #expect(try results["end"]?.tensor().floats() == [8, 16])
        #expect(try results["all"]?.tensor().floats() == [2, 4, 4, 8, 8, 16])
        #expect(try results["all"]?.tensor().shape == [3, 2])
    }

    @Test func aLoopOfNoIterationGivesNothingOfTheStatedShape() throws {
        let double = Node(name: "double", operation: "Add", inputs: ["x", "x"], outputs: ["y"])
        let results = try run(
            loop(double, scans: true), ["count": .integers([0], []), "start": .floats([1, 2], [2])])
        #expect(try results["end"]?.tensor().floats() == [1, 2])
        #expect(try results["all"]?.tensor().shape == [0, 2])
    }

    @Test func aCarriedValueMayGrowForLong() throws {
        let join = Node(
            name: "join", operation: "Concat", inputs: ["x", "start"], outputs: ["y"],
            attributes: [Attribute(name: "axis", value: .int(0))])
        let results = try run(
            loop(join, scans: false), ["count": .integers([40], []), "start": .floats([1, 2], [2])])
        #expect(try results["end"]?.tensor().shape == [82])
        #expect(try results["end"]?.tensor().floats().suffix(3) == [2, 1, 2])
    }

    @Test func aScanRunsBackwardsAndAlongOtherAxes() throws {
        let sum = Node(name: "sum", operation: "Add", inputs: ["state", "x"], outputs: ["next"])
        let body = graph(
            [sum], inputs: [info("state"), info("x")], outputs: [info("next"), info("next")])
        let node = Node(
            name: "scan", operation: "Scan", inputs: ["start", "data"], outputs: ["end", "all"],
            attributes: [
                Attribute(name: "body", value: .graph(body)), Attribute(name: "num_scan_inputs", value: .int(1)),
                Attribute(name: "scan_input_axes", value: .ints([1])),
                Attribute(name: "scan_input_directions", value: .ints([1])),
                Attribute(name: "scan_output_axes", value: .ints([-1])),
                Attribute(name: "scan_output_directions", value: .ints([1])),
            ])
        let results = try run(
            graph([node], inputs: [info("start"), info("data")], outputs: [info("end"), info("all")]),
            ["start": .floats([0, 10], [2]), "data": .floats([1, 2, 3, 4, 5, 6], [2, 3])])
        #expect(try results["end"]?.tensor().floats() == [6, 25])
        #expect(try results["all"]?.tensor().floats() == [6, 5, 3, 25, 21, 16])
    }

    @Test func positionsOutsideASequenceAreRefused() throws {
        let sequence = RuntimeValue.sequence([try .floats([1], [1])])
        #expect(throws: ConversionError.self) {
            try SingleOperator.run("SequenceAt", [sequence, try .integers([1], [])])
        }
        #expect(throws: ConversionError.self) {
            try SingleOperator.run("SequenceErase", [.sequence([])])
        }
        #expect(throws: ConversionError.self) {
            try SingleOperator.run("OptionalGetElement", [.optional(nil)])
        }
    }

    @Test func aTensorIsSplitIntoASequenceAndJoinedAgain() throws {
        let tensor = try RuntimeValue.floats([1, 2, 3, 4, 5, 6], [2, 3])
        let parts = try SingleOperator.run("SplitToSequence", ["axis": 1], [tensor, .integers([2], [])])
        guard case .sequence(let members) = parts[0] else { throw ExecutionError.type("no sequence") }
        #expect(try members.map { try $0.tensor().floats() } == [[1, 2, 4, 5], [3, 6]])
        let joined = try SingleOperator.run("ConcatFromSequence", ["axis": 1], [parts[0]])
        #expect(try joined[0].tensor().floats() == [1, 2, 3, 4, 5, 6])
    }
}

@Suite("Views in planned memory")
struct PlannedViewTests {
    /// `view(view(relu(negate(x))))`, where relu may overwrite its input.
    @Test func viewsOfAResultInPlaceLieWhereItDoes() throws {
        let program = Program(pool: ThreadPool.shared(width: 1))
        let x = program.addInput("x", TensorFact(type: .float32, shape: [2, 3]))
        let y = try program.one("Relu", [program.one("Neg", [x])])
        let flat = try program.one("Reshape", [y, program.constant([6])])
        let turned = try program.one("Reshape", [flat, program.constant([3, 2])])
        let sum = try program.one("Add", [flat, flat])
        let plan = try Plan(program, outputs: [turned, sum])
        let results = try plan.run([x: .floats([-1, 2, -3, 4, -5, 6], [2, 3])])
        #expect(try results[0].tensor().floats() == [1, 0, 3, 0, 5, 0])
        #expect(try results[1].tensor().floats() == [2, 0, 6, 0, 10, 0])
    }
}
