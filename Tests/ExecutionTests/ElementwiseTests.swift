import ConverterKit
import LinearAlgebra
import Testing

@testable import Execution

/// One use of an operator, run with these inputs.
func run(
    _ name: String, domain: String = "", _ attributes: AttributeList, _ inputs: [TensorValue?], version: Int = 18,
    threads: Int = 2
) throws -> TensorValue {
    let program = Program(pool: ThreadPool.shared(width: threads))
    var given: [ValueID: RuntimeValue] = [:]
    let ids = inputs.enumerated().map { index, value in
        value.map { value in
            let id = program.addInput("input \(index)", of: .tensor(value))
            given[id] = .tensor(value)
            return id
        }
    }
    let use = OperatorUse(OperatorKey(domain: domain, name: name), attributes, version: version, node: "node")
    let outputs = try program.emit(use, ids, wanted: [true]).compactMap { $0 }
    return try Plan(program, outputs: outputs).run(given)[0].tensor()
}

/// The same without attributes.
func run(_ name: String, domain: String = "", _ inputs: [TensorValue?], version: Int = 18, threads: Int = 2) throws
    -> TensorValue
{
    try run(name, domain: domain, [:], inputs, version: version, threads: threads)
}

@Suite("Elementwise operators")
struct ElementwiseTests {
    static let shapes: [[[Int]]] = [
        [[2, 3], [2, 3]], [[2, 3], []], [[], [4]], [[5, 7], [7]], [[2, 3, 4, 5], [3, 1, 1]], [[4, 1], [1, 5]],
        [[3, 1, 5], [2, 1]], [[1, 1, 1], [1]], [[0, 3], [3]], [[2, 1, 3, 1, 2], [4, 1, 3, 1]], [[40000], [1]],
        [[300, 200], [300, 1]], [[300, 200], [200]],
    ]

    @Test("Operands are broadcast", arguments: shapes, ["Add", "Sub", "Mul", "Div", "Min", "Max"])
    func operandsAreBroadcast(_ shapes: [[Int]], _ name: String) throws {
        var random = SeededGenerator(seed: 3)
        for shapes in [shapes, shapes.reversed()] {
            let values = shapes.map { random.normals($0.reduce(1, *)) }
            let result = try run(name, zip(values, shapes).map { try TensorValue($0, shape: $1) })
            let shape = result.shape
            var expected: [Float] = []
            for index in 0..<result.count {
                let operands = (0..<2).map { values[$0][source(index, of: shapes[$0], in: shape)] }
                let (a, b) = (operands[0], operands[1])
                switch name {
                case "Add": expected.append(a + b)
                case "Sub": expected.append(a - b)
                case "Mul": expected.append(a * b)
                case "Div": expected.append(a / b)
                case "Min": expected.append(min(a, b))
                default: expected.append(max(a, b))
                }
            }
            #expect(try result.floats() == expected, "\(shapes)")
        }
    }

    /// The element of an operand that element `index` of the result is computed from, digit by digit.
    private func source(_ index: Int, of operand: [Int], in shape: [Int]) -> Int {
        var (rest, place, stride) = (index, 0, 1)
        for (axis, extent) in shape.enumerated().reversed() {
            let digit = rest % extent
            rest /= extent
            let own = axis - (shape.count - operand.count)
            guard own >= 0 else { continue }
            if operand[own] != 1 { place += digit * stride }
            stride *= operand[own]
        }
        return place
    }

    @Test func shapesThatDoNotFitAreRefused() throws {
        #expect(throws: ConversionError.self) {
            try run("Add", [TensorValue([1, 2], shape: [2]), TensorValue([1, 2, 3], shape: [3])])
        }
        #expect(throws: ConversionError.self) {
            try run("Add", [TensorValue([Float(1)], shape: [1]), TensorValue([Int64(1)], shape: [1])])
        }
    }

    @Test(
        "Single precision follows double precision",
        arguments: MathOperators.functions + ActivationOperators.functions + GeluOperators.functions)
    func singlePrecisionFollowsDouble(_ function: UnaryFunction) throws {
        let values = stride(from: -8, through: 8, by: 0.0625).map { Float($0) }
        for name in [function.name] {
            let single = try run(name, domain: function.domain, [TensorValue(values, shape: [values.count])]).floats()
            let doubles = try TensorValue(elements: values.map { Double($0) }, shape: [values.count], type: .float64)
            let double = try run(name, domain: function.domain, [doubles]).doubles()
            for (index, x) in values.enumerated() {
                let (a, b) = (Double(single[index]), double[index])
                let agrees = a == b || a.isNaN && b.isNaN || abs(a - b) <= 2e-6 * max(1, abs(b))
                #expect(agrees, "\(name)(\(x)) = \(a), \(b)")
            }
        }
    }

    @Test func remaindersTakeTheSignOfTheDivisor() throws {
        let a = try TensorValue([Int64(-7), 7, -7, 7, 5], shape: [5])
        let b = try TensorValue([Int64(3), -3, -3, 3, 0], shape: [5])
        #expect(try run("Mod", [a, b]).integers() == [2, -2, -1, 1, 0])
        #expect(try run("Mod", ["fmod": 1], [a, b]).integers() == [-1, 1, -1, 1, 0])
        let x = try TensorValue([Float(-4.3), 7.2, 5], shape: [3])
        let y = try TensorValue([Float(2.1), -3.4, 8], shape: [3])
        let real = try run("Mod", ["fmod": 1], [x, y]).floats()
        #expect(abs(real[0] + 0.1) < 1e-5 && abs(real[1] - 0.4) < 1e-5 && real[2] == 5)
    }

    @Test func exponentsMayBeOfAnotherType() throws {
        let base = try TensorValue([Int64(2), 3, -2], shape: [3])
        #expect(try run("Pow", [base, TensorValue([Float(3), 2, 3], shape: [3])]).integers() == [8, 9, -8])
        #expect(try run("Pow", [base, TensorValue([Int64(62)], shape: [])]).integers()[0] == 1 << 62)
        let real = try TensorValue([Float(2), 3, 4], shape: [3])
        #expect(try run("Pow", [real, TensorValue([Int64(2)], shape: [1])]).floats() == [4, 9, 16])
    }

    @Test func stringsAreCompared() throws {
        let a = try TensorValue(strings: ["a", "b"], shape: [2])
        let b = try TensorValue(strings: ["a", "c"], shape: [2])
        #expect(try run("Equal", [a, b]).integers() == [1, 0])
    }

    @Test func truthValuesAndBitsAreCombined() throws {
        func bools(_ values: [UInt8]) throws -> TensorValue {
            try TensorValue(elements: values, shape: [4], type: .bool)
        }
        let (a, b) = (try bools([0, 0, 1, 1]), try bools([0, 1, 0, 1]))
        #expect(try run("And", [a, b]).integers() == [0, 0, 0, 1])
        #expect(try run("Or", [a, b]).integers() == [0, 1, 1, 1])
        #expect(try run("Xor", [a, b]).integers() == [0, 1, 1, 0])
        #expect(try run("Not", [a]).integers() == [1, 1, 0, 0])
        let x = try TensorValue(elements: [UInt8(16), 4, 1], shape: [3], type: .uint8)
        let y = try TensorValue(elements: [UInt8(1), 2, 9], shape: [3], type: .uint8)
        #expect(try run("BitShift", ["direction": "LEFT"], [x, y]).integers() == [32, 16, 0])
        #expect(try run("BitShift", ["direction": "RIGHT"], [x, y]).integers() == [8, 1, 0])
        #expect(try run("BitwiseNot", [x]).integers() == [239, 251, 254])
    }

    @Test func boundsOfClipMayBeLeftOutAndCross() throws {
        let x = try TensorValue([Float(-3), 0, 3, .nan], shape: [4])
        let (low, high) = (try TensorValue([Float(2)], shape: []), try TensorValue([Float(1)], shape: []))
        #expect(try run("Clip", [x, low, high]).floats().prefix(3) == [1, 1, 1])
        #expect(try run("Clip", [x, nil, high]).floats().prefix(3) == [-3, 0, 1])
        #expect(try run("Clip", [x, low]).floats().prefix(3) == [2, 2, 3])
        #expect(try run("Clip", [x, low]).floats()[3].isNaN)
        let integers = try run("Clip", [TensorValue([Int64(-5), 5], shape: [2]), TensorValue([Int64(0)], shape: [])])
        #expect(try integers.integers() == [0, 5])
    }
}

extension UnaryFunction: CustomTestStringConvertible {
    public var testDescription: String { name }
}
