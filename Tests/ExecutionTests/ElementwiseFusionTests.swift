import ConverterKit
import LinearAlgebra
import Testing

@testable import Execution

@Suite("Elementwise fusion")
struct ElementwiseFusionTests {
    private let program = Program(pool: ThreadPool.shared(width: 2))

    private func input(_ name: String, _ shape: [Int]) -> ValueID {
        program.addInput(name, TensorFact(type: .float32, shape: shape))
    }

    private func scalar(_ value: Double) throws -> ValueID { try program.scalar(value, type: .float32) }

    private func names() -> [String] { program.instructions.map { $0.use.key.name } }

    /// Results before and after a pass, on random inputs.
    private func compare(_ output: ValueID, tolerance: Float = 0, _ pass: (Program) throws -> Void) throws {
        var random = SeededGenerator(seed: 11)
        var given: [ValueID: RuntimeValue] = [:]
        for index in program.values.indices where program.values[index].role == .input {
            let shape = try #require(program.values[index].fact?.shape)
            given[ValueID(index: index)] = .tensor(try TensorValue(random.normals(shape.reduce(1, *)), shape: shape))
        }
        let before = try Plan(program, outputs: [output]).run(given)[0].tensor().floats()
        try pass(program)
        let after = try Plan(program, outputs: [output]).run(given)[0].tensor().floats()
        let largest = zip(before, after).map { abs($0 - $1) }.max() ?? 0
        #expect(largest <= tolerance, "\(names()): \(largest)")
    }

    @Test(
        "Chains over broadcast inputs stay as they were",
        arguments: [[3, 5], [7, 1000], [4, 3, 50, 30], [2, 2048, 3]])
    func chainsStayAsTheyWere(_ shape: [Int]) throws {
        let x = input("x", shape)
        let row = input("row", [shape[shape.count - 1]])
        let column = input("column", [shape[1]] + [Int](repeating: 1, count: shape.count - 2))
        let one = input("one", [])
        var y = try program.one("Mul", [x, row])
        y = try program.one("Add", [column, y])
        y = try program.one("Sub", [scalar(1), y])
        y = try program.one("Sigmoid", [y])
        let z = try program.one("LeakyRelu", [program.one("Div", [x, one])], ["alpha": Float(0.2)])
        y = try program.one("Max", [y, z])
        y = try program.one("Clip", [y, scalar(-0.5), scalar(0.9)])
        try compare(y) { try $0.fuseElementwise(keeping: [y]) }
        #expect(names() == ["Elementwise"])
    }

    @Test func valuesThatAreReadAgainOrAskedForStay() throws {
        let x = input("x", [10])
        let a = try program.one("Exp", [x])
        let b = try program.one("Neg", [a])
        let c = try program.one("Add", [a, b])
        let d = try program.one("Tanh", [c])
        let e = try program.one("Abs", [d])
        try compare(e) { try $0.fuseElementwise(keeping: [e, d]) }
        // a is read twice and d is asked for.
        #expect(names() == ["Exp", "Elementwise", "Abs"])
    }

    private func gelu(_ x: ValueID) throws -> ValueID {
        let half = try program.one("Mul", [x, scalar(0.5)])
        let erf = try program.one("Erf", [program.one("Div", [x, scalar(2.0.squareRoot())])])
        return try program.one("Mul", [half, program.one("Add", [erf, scalar(1)])])
    }

    @Test func geluSpelledOutIsOneInstruction() throws {
        let x = input("x", [8, 300])
        let y = try gelu(x)
        try compare(y, tolerance: 2e-6) { try $0.fuseElementwise(keeping: [y]) }
        #expect(names() == ["Elementwise"])
    }

    @Test func exactGeluIsRecognizedWithinOtherOperations() throws {
        let x = input("x", [8, 300])
        let bias = input("bias", [300])
        let y = try program.one("Mul", [gelu(program.one("Add", [x, bias])), x])
        try compare(y, tolerance: 2e-6) { try $0.recognizeActivations(keeping: [y]) }
        #expect(names() == ["Add", "ExactGelu", "Mul"])
    }

    @Test func geluByTanhIsRecognized() throws {
        let x = input("x", [8, 300])
        let cube = try program.one("Mul", [program.one("Pow", [x, scalar(3)]), scalar(0.044715)])
        let inner = try program.one("Mul", [scalar((2 / Double.pi).squareRoot()), program.one("Add", [x, cube])])
        let gate = try program.one("Add", [scalar(1), program.one("Tanh", [inner])])
        let y = try program.one("Mul", [scalar(0.5), program.one("Mul", [x, gate])])
        try compare(y, tolerance: 2e-6) { try $0.recognizeActivations(keeping: [y]) }
        #expect(names() == ["TanhGelu"])
    }

    @Test func anotherFunctionIsNotTakenForGelu() throws {
        let x = input("x", [8])
        let half = try program.one("Mul", [x, scalar(0.5)])
        let erf = try program.one("Erf", [program.one("Div", [x, scalar(1.5)])])
        let y = try program.one("Mul", [half, program.one("Add", [erf, scalar(1)])])
        try compare(y) { try $0.recognizeActivations(keeping: [y]) }
        #expect(names().count == 5)
    }

    @Test func hardSwishSpelledOutIsOneInstruction() throws {
        let x = input("x", [2, 3, 40, 40])
        let gate = try program.one("Clip", [program.one("Add", [x, scalar(3)]), scalar(0), scalar(6)])
        let y = try program.one("Div", [program.one("Mul", [x, gate]), scalar(6)])
        try compare(y) { try $0.fuseElementwise(keeping: [y]) }
        #expect(names() == ["Elementwise"])
    }

    @Test func layerNormalizationSpelledOutHasOneInstructionForEachRun() throws {
        let x = input("x", [4, 9, 64])
        let (scale, bias) = (input("scale", [64]), input("bias", [64]))
        let axis = try program.constant([-1])
        let centred = try program.one("Sub", [x, program.one("ReduceMean", [x, axis])])
        let variance = try program.one("ReduceMean", [program.one("Pow", [centred, scalar(2)]), axis])
        let deviation = try program.one("Sqrt", [program.one("Add", [variance, scalar(1e-5)])])
        let normal = try program.one("Div", [centred, deviation])
        let y = try program.one("Add", [program.one("Mul", [normal, scale]), bias])
        try compare(y) { try $0.fuseElementwise(keeping: [y]) }
        #expect(names() == ["ReduceMean", "Sub", "Pow", "ReduceMean", "Elementwise", "Elementwise"])
    }
}
