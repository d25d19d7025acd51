import ConverterKit
import LinearAlgebra
import Testing

@testable import Execution

@Suite("Quantization")
struct QuantizationTests {
    @Test func halvesRoundToEvenAndLargeNumbersSaturate() throws {
        let x: [Float] = [0.5, 1.5, 2.5, -0.5, -1.5, 300, -300, .infinity, -.infinity, .nan, 1e30]
        let results = try SingleOperator.run(
            "QuantizeLinear", [.floats(x, [x.count]), .floats([1], []), .elements([Int8(0)], [], .int8)])
        #expect(try results[0].tensor().integers() == [0, 2, 2, 0, -2, 127, -128, 127, -128, -128, 127])
        let shifted = try SingleOperator.run(
            "QuantizeLinear", [.floats(x, [x.count]), .floats([2], []), .elements([UInt8(128)], [], .uint8)])
        #expect(try shifted[0].tensor().integers() == [128, 129, 129, 128, 127, 255, 0, 255, 0, 0, 255])
    }

    @Test func anAxisAndBlocksHaveScalesOfTheirOwn() throws {
        let x = try RuntimeValue.floats([2, 4, 6, 8, 10, 12, 14, 16], [2, 4])
        let axis = try SingleOperator.run(
            "QuantizeLinear", ["axis": 0], [x, .floats([1, 2], [2]), .elements([Int8(0), 1], [2], .int8)])
        #expect(try axis[0].tensor().integers() == [2, 4, 6, 8, 6, 7, 8, 9])
        let scales = try RuntimeValue.floats([1, 2, 2, 4], [2, 2])
        let blocks = try SingleOperator.run("QuantizeLinear", ["axis": 1, "block_size": 2], [x, scales])
        #expect(try blocks[0].tensor().integers() == [2, 4, 3, 4, 5, 6, 4, 4])
        let back = try SingleOperator.run("DequantizeLinear", ["axis": 1, "block_size": 2], [blocks[0], scales])
        #expect(try back[0].tensor().floats() == [2, 4, 6, 8, 10, 12, 16, 16])
    }

    @Test func fourBitsSaturateAtTheirBounds() throws {
        let results = try SingleOperator.run(
            "QuantizeLinear", [.floats([100, -100, 3], [3]), .floats([1], []), .elements([Int8(0)], [], .int4)])
        #expect(try results[0].tensor().type == .int4)
        #expect(try results[0].tensor().integers() == [7, -8, 3])
    }

    @Test func aConvolutionOfIntegersIsExact() throws {
        var random = SeededGenerator(seed: 3)
        let (channels, extent) = (4, 7)
        let x = (0..<2 * channels * extent * extent).map { _ in UInt8.random(in: 0...255, using: &random) }
        let w = (0..<6 * 2 * 9).map { _ in Int8.random(in: -128...127, using: &random) }
        let results = try SingleOperator.run(
            "ConvInteger", ["group": 2, "pads": [1, 1, 1, 1], "strides": [2, 2]],
            [
                .elements(x, [2, channels, extent, extent], .uint8), .elements(w, [6, 2, 3, 3], .int8),
                .elements([UInt8(120)], [], .uint8), .elements([Int8(3)], [], .int8),
            ])
        let y = try results[0].tensor()
        #expect(y.shape == [2, 6, 4, 4])
        let values = try y.integers()
        for (place, value) in values.enumerated() {
            let (image, channel, row, column) = (place / 96, place / 16 % 6, place / 4 % 4, place % 4)
            var sum = 0
            for inner in 0..<2 {
                for tap in 0..<9 {
                    let (v, h) = (row * 2 + tap / 3 - 1, column * 2 + tap % 3 - 1)
                    guard (0..<extent).contains(v), (0..<extent).contains(h) else { continue }
                    let from = ((image * channels + channel / 3 * 2 + inner) * extent + v) * extent + h
                    sum += (Int(x[from]) - 120) * (Int(w[(channel * 2 + inner) * 9 + tap]) - 3)
                }
            }
            #expect(value == sum)
        }
    }

    @Test func aProductOfManyIntegersIsExact() throws {
        let k = 3000
        let results = try SingleOperator.run(
            "MatMulInteger",
            [
                .elements([UInt8](repeating: 255, count: 2 * k), [2, k], .uint8),
                .elements([UInt8](repeating: 255, count: k * 3), [k, 3], .uint8),
            ])
        #expect(try results[0].tensor().integers() == [Int](repeating: 255 * 255 * k, count: 6))
    }

    @Test func scalesOfAnotherShapeAreRefused() throws {
        #expect(throws: ConversionError.self) {
            try SingleOperator.run(
                "QuantizeLinear", ["axis": 1], [.floats([1, 2], [1, 2]), .floats([1, 1, 1], [3])])
        }
    }
}
