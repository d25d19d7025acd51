import ConverterKit
import Testing

@Suite("Tensor elements")
struct TensorElementsTests {
    private func tensor(_ type: ElementType, _ shape: [Int64], _ bytes: [UInt8]) -> Tensor {
        Tensor(name: "w", elementTypeNumber: type.rawValue, shape: shape, payload: .raw(ByteSource(bytes)))
    }

    @Test("single precision comes out bit for bit, NaN payloads and denormals included")
    func float32() throws {
        let values: [Float] = [0, -0.0, 1, -2.5, .infinity, .leastNonzeroMagnitude, 3.4e38]
        let packed = try Tensor.pack(values, as: .float32)
        let read = try tensor(.float32, [7], packed).floats()
        #expect(read.map(\.bitPattern) == values.map(\.bitPattern))
    }

    @Test("half precision and bfloat16 round to nearest, ties to even", arguments: [ElementType.float16, .bfloat16])
    func halves(type: ElementType) throws {
        let values: [Float] = [1, -1, 0.5, 65504, 1e-3, 0]
        let read = try tensor(type, [6], Tensor.pack(values, as: type)).floats()
        for (value, got) in zip(values, read) {
            let tolerance: Float = type == .float16 ? 0.0005 : 0.004
            #expect(abs(value - got) <= tolerance * abs(value) + 1e-7, "\(type): \(value) became \(got)")
        }
        // 1 + 2⁻⁸ lies half way between two bfloat16 numbers; the even one is 1.
        let tie = try tensor(.bfloat16, [1], Tensor.pack([1 + 1 / 256], as: .bfloat16)).floats()
        #expect(tie == [1])
    }

    @Test("a finite value that the stored type cannot hold is an error, not an infinity")
    func overflow() {
        let error = #expect(throws: ConversionError.self) { _ = try Tensor.pack([1e6], as: .float16) }
        #expect(error?.code == "tensor.overflow")
    }

    /// Reference values from the tables of the OCP 8-bit and microscaling formats and of arXiv 2206.02915.
    @Test(
        "8-bit and 4-bit floating point decode as the formats' tables say",
        arguments: [
            (ElementType.float8E4M3FN, UInt8(0x7e), 448.0), (.float8E4M3FN, 0x01, 0.001953125),
            (.float8E4M3FN, 0x38, 1), (.float8E4M3FNUZ, 0x7f, 240), (.float8E4M3FNUZ, 0x40, 1),
            (.float8E5M2, 0x7b, 57344), (.float8E5M2, 0xfc, -Double.infinity), (.float8E5M2, 0x01, 0x1p-16),
            (.float8E5M2FNUZ, 0x7f, 57344), (.float8E8M0, 0x7f, 1), (.float8E8M0, 0x00, 0x1p-127),
        ])
    func smallFloats(type: ElementType, bits: UInt8, value: Double) throws {
        #expect(try tensor(type, [1], [bits]).doubles() == [value])
    }

    @Test("the NaN patterns of each 8-bit format are NaN")
    func smallFloatNaN() throws {
        let patterns: [(ElementType, UInt8)] = [
            (.float8E4M3FN, 0x7f), (.float8E4M3FN, 0xff), (.float8E4M3FNUZ, 0x80), (.float8E5M2, 0x7d),
            (.float8E5M2FNUZ, 0x80), (.float8E8M0, 0xff),
        ]
        for (type, bits) in patterns {
            #expect(try tensor(type, [1], [bits]).doubles()[0].isNaN, "\(type) \(bits)")
        }
    }

    @Test("elements under eight bits are packed low bits first, odd counts included")
    func subByte() throws {
        #expect(try tensor(.int4, [3], [0xf1, 0x08]).integers() == [1, -1, -8])
        #expect(try tensor(.uint4, [3], [0xf1, 0x08]).integers() == [1, 15, 8])
        #expect(try tensor(.int2, [5], [0b11_10_01_00, 0b10]).integers() == [0, 1, -2, -1, -2])
        #expect(try tensor(.float4E2M1, [2], [0x17]).doubles() == [6, 0.5])
    }

    @Test("typed fields give the same elements as raw bytes")
    func typedFields() throws {
        // int32_data holds a bfloat16 or float16 pattern, and a negative int8 as a ten-byte varint.
        let half = Tensor(
            name: nil, elementTypeNumber: ElementType.float16.rawValue, shape: [2],
            payload: .varints(.int32, ByteSource([0x80, 0x78, 0x80, 0x80, 0x02])))
        #expect(try half.floats() == [1, -0.0])
        let negative = Tensor(
            name: nil, elementTypeNumber: ElementType.int8.rawValue, shape: [1],
            payload: .varints(.int32, ByteSource([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])))
        #expect(try negative.integers() == [-1])
    }

    @Test(
        "a payload that does not fit the shape is an error with a code",
        arguments: [([2] as [Int64], 4), ([-1], 4), ([1 << 40, 1 << 40], 4), ([], 8)])
    func wrongSize(shape: [Int64], bytes: Int) {
        let error = #expect(throws: ConversionError.self) {
            _ = try tensor(.float32, shape, [UInt8](repeating: 0, count: bytes)).floats()
        }
        #expect("tensor" ~= (error?.code ?? ""), "shape \(shape), \(bytes) bytes")
    }
}
