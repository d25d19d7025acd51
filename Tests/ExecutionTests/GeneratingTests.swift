import ConverterKit
import LinearAlgebra
import Testing

@testable import Execution

@Suite("Operators that generate")
struct GeneratingTests {
    @Test("the inverse transform gives the signal back", arguments: [1, 2, 8, 12, 15, 64])
    func inverseTransformGivesTheSignalBack(length: Int) throws {
        let signal = try OperatorRun.numbers([2, length, 2])
        let spectrum = try OperatorRun.outputs("DFT", version: 17, [signal])[0]
        let back = try OperatorRun.outputs("DFT", version: 17, ["inverse": 1], [spectrum])[0]
        for (a, b) in zip(try back.floats(), try signal.floats()) { #expect(abs(a - b) < 1e-5) }
    }

    @Test("a one-sided spectrum gives the real signal back", arguments: [2, 8, 9, 14])
    func oneSidedSpectrumGivesTheSignalBack(length: Int) throws {
        let signal = try OperatorRun.numbers([3, length, 1])
        let spectrum = try OperatorRun.outputs("DFT", version: 20, ["onesided": 1], [signal])[0]
        #expect(spectrum.shape == [3, length / 2 + 1, 2])
        let back = try OperatorRun.outputs(
            "DFT", version: 20, ["onesided": 1, "inverse": 1], [spectrum, OperatorRun.integers([length], [])],
            constants: [1])[0]
        #expect(back.shape == [3, length, 1])
        for (a, b) in zip(try back.floats(), try signal.floats()) { #expect(abs(a - b) < 1e-5) }
    }

    @Test func randomNumbersFollowTheSeedAndDifferFromRunToRun() throws {
        let program = Program(pool: ThreadPool.shared(width: 1))
        let id = try program.one("RandomNormal", [], ["shape": [1000], "mean": Float(5), "seed": Float(3)])
        let plan = try Plan(program, outputs: [id])
        let (first, second) = (try plan.run([:])[0].tensor().floats(), try plan.run([:])[0].tensor().floats())
        #expect(first != second)
        #expect(abs(first.reduce(0, +) / 1000 - 5) < 0.2)
        let again = try OperatorRun.outputs(
            "RandomNormal", ["shape": [1000], "mean": Float(5), "seed": Float(3)], [])[0].floats()
        #expect(again == first)
    }

    @Test func multinomialDrawsByTheWeights() throws {
        let logits = try TensorValue([-1000, 0, 0, 0, -1000, -1000] as [Float], shape: [2, 3])
        let drawn = try OperatorRun.outputs("Multinomial", ["sample_size": 200], [logits])[0].integers()
        #expect(Set(drawn[..<200]) == [1, 2])
        #expect(Set(drawn[200...]) == [0])
    }

    @Test func determinantOfAPermutationIsItsSign() throws {
        let numbers: [Float] = [0, 2, 0, 0, 0, 3, 4, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
        let data = try TensorValue(numbers, shape: [2, 3, 3])
        let result = try OperatorRun.outputs("Det", [data])[0].floats()
        #expect(result[0] == 24 && abs(result[1]) < 1e-5)
    }

    @Test func rangesStopBeforeTheirLimit() throws {
        let numbers = try [10, 4, -2].map { try OperatorRun.integers([$0], []) }
        #expect(try OperatorRun.outputs("Range", numbers, constants: [0, 1, 2])[0].integers() == [10, 8, 6])
        let none = try [0, 5, 0].map { try OperatorRun.integers([$0], []) }
        #expect(throws: ConversionError.self) { try OperatorRun.outputs("Range", none, constants: [0, 1, 2]) }
    }
}
