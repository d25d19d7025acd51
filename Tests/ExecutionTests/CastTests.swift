import ConverterKit
import Testing

@testable import Execution

@Suite("Cast")
struct CastTests {
    private func cast(_ value: TensorValue, to type: ElementType, _ attributes: AttributeList = [:]) throws
        -> TensorValue
    {
        var attributes = attributes
        attributes.set("to", Int(type.rawValue))
        return try run("Cast", attributes, [value], version: 19)
    }

    @Test func smallFloatsAreRoundedAndSaturate() throws {
        let x = try TensorValue([Float(0.3), 17, 464, 465, -1e6, .infinity, .nan, 0x1p-10, 0x1p-11], shape: [9])
        let saturated = try cast(x, to: .float8E4M3FN).floats()
        #expect(saturated[0] == 0.3125 && saturated[1] == 16 && saturated[2] == 448 && saturated[3] == 448)
        #expect(saturated[4] == -448 && saturated[5] == 448 && saturated[6].isNaN && saturated[8] == 0)
        // Half of the least number is a tie, and goes to even.
        #expect(saturated[7] == 0)
        let other = try cast(x, to: .float8E4M3FN, ["saturate": 0]).floats()
        #expect(other[3].isNaN && other[5].isNaN && other[2] == 448)
        let wide = try cast(x, to: .float8E5M2, ["saturate": 0]).floats()
        #expect(wide[5] == .infinity && wide[4] == -.infinity && wide[0] == 0.3125)
        #expect(try cast(x, to: .float8E4M3FNUZ).floats()[2] == 240)
    }

    @Test func integersWrapAndRealNumbersGoTowardsZero() throws {
        let integers = try TensorValue([Int64(300), -1, 128], shape: [3])
        #expect(try cast(integers, to: .uint8).integers() == [44, 255, 128])
        #expect(try cast(integers, to: .int8).integers() == [44, -1, -128])
        let reals = try TensorValue([Float(2.9), -2.9, 0.5], shape: [3])
        #expect(try cast(reals, to: .int32).integers() == [2, -2, 0])
        #expect(try cast(reals, to: .bool).integers() == [1, 1, 1])
        #expect(try cast(reals, to: .int4).integers() == [2, -2, 0])
        #expect(try cast(TensorValue([Int64(17), -9], shape: [2]), to: .int4).integers() == [1, 7])
    }

    @Test func stringsBecomeNumbersAndBack() throws {
        let text = try TensorValue(strings: ["1.5", "-INF", "NaN", "1e3"], shape: [4])
        let numbers = try cast(text, to: .float32).floats()
        #expect(numbers[0] == 1.5 && numbers[1] == -.infinity && numbers[2].isNaN && numbers[3] == 1000)
        let back = try cast(TensorValue([Float(0.1), .infinity], shape: [2]), to: .string)
        #expect(back.strings == ["0.1", "INF"])
        let large = try TensorValue(strings: ["9007199254740993"], shape: [1])
        #expect(try cast(large, to: .int64).integers() == [9_007_199_254_740_993])
        #expect(throws: ConversionError.self) { try cast(TensorValue(strings: ["x"], shape: [1]), to: .float32) }
    }

    @Test func halvesAreRounded() throws {
        let x = try TensorValue([Float(1.0009), 65520, 1.00390625], shape: [3])
        #expect(try cast(x, to: .float16).floats() == [1.0009765625, .infinity, 1.00390625])
        #expect(try cast(x, to: .bfloat16).floats()[2] == 1)
    }
}
