internal import ConverterKit
internal import TestSupport
internal import Testing

struct TensorTests {
    typealias B = ONNXBuilder

    private static func model(_ tensor: Wire) -> [UInt8] {
        B.model(graph: B.graph(nodes: [B.node("Relu", ["x"], ["y"])], initializers: [tensor]).sorted)
    }

    static let shapes: [FileCase] = [
        FileCase("scalar", model(B.tensor("w", dims: [], B.raw([1]))), nil),
        FileCase("no elements", model(B.tensor("w", dims: [0, 5])), nil),
        FileCase("negative", model(B.tensor("w", dims: [-1], B.raw([1]))), "shape.negative"),
        FileCase("2^40 x 2^40", model(B.tensor("w", dims: [1 << 40, 1 << 40])), "shape.overflow"),
        FileCase("2^41", model(B.tensor("w", dims: [1 << 41])), "shape.too-large"),
        FileCase("rank 33", model(B.tensor("w", dims: Array(repeating: 1, count: 33), B.raw([1]))), "shape.rank"),
        FileCase("rank 32", model(B.tensor("w", dims: Array(repeating: 1, count: 32), B.raw([1]))), nil),
        FileCase("too few bytes", model(B.tensor("w", dims: [2], B.raw([1]))), "shape.payload-size"),
        FileCase("too many bytes", model(B.tensor("w", dims: [1], B.raw([1, 2]))), "shape.payload-size"),
        FileCase("no payload", model(B.tensor("w", dims: [1])), "shape.payload-size"),
        FileCase("too few numbers", model(B.tensor("w", type: 7, dims: [3], .field(7, [1, 2]))), "shape.payload-size"),
        FileCase("too few strings", model(B.tensor("w", type: 8, dims: [2], .string(6, "a"))), "shape.payload-size"),
        FileCase(
            "raw and typed", model(B.tensor("w", dims: [1], B.raw([1]) + .float(4, 1))), "onnx.tensor.several-payloads"),
        FileCase("raw twice", model(B.tensor("w", dims: [1], B.raw([1]) + B.raw([1]))), "onnx.tensor.several-payloads"),
        FileCase(
            "two typed", model(B.tensor("w", dims: [1], .int(7, 1) + .float(4, 1))), "onnx.tensor.several-payloads"),
        FileCase("typed field of another type", model(B.tensor("w", dims: [1], .int(5, 1))), "onnx.tensor.wrong-field"),
        FileCase("raw strings", model(B.tensor("w", type: 8, dims: [1], .field(9, [1]))), "onnx.tensor.wrong-field"),
        FileCase("no type", model(.int(1, 1) + .string(8, "w") + B.raw([1])), "onnx.tensor.no-type"),
        FileCase("type 27, unknown", model(B.tensor("w", type: 27, dims: [4], .field(9, [1, 2, 3]))), nil),
        FileCase(
            "segment", model(B.tensor("w", dims: [1], .message(3, .int(1, 0)) + B.raw([1]))), "onnx.tensor.segment"),
        FileCase(
            "in an attribute",
            B.model(
                graph: B.graph(nodes: [
                    B.node(
                        "Constant", [], ["y"],
                        attributes: [B.attribute("value", type: 4, .message(5, B.tensor(nil, dims: [2])))])
                ])), "shape.payload-size"),
    ]

    @Test(arguments: shapes)
    func `shape, type and payload agree`(_ file: FileCase) throws {
        #expect(try ModelFolder().code(file.bytes) == file.code)
    }

    /// Three elements of every type as raw data, and what they mean.
    static let rawElements: [(ElementType, [UInt8], [Double])] = [
        (.float32, Wire.words([Float(1), -2, 0.5].map(\.bitPattern)), [1, -2, 0.5]),
        (.float64, Wire.words([1, -2, 0.5].map(\.bitPattern)), [1, -2, 0.5]),
        (.float16, Wire.words([UInt16(0x3c00), 0xc000, 0x3800]), [1, -2, 0.5]),
        (.bfloat16, Wire.words([UInt16(0x3f80), 0xc000, 0x3f00]), [1, -2, 0.5]),
        (.float8E4M3FN, [0x38, 0xc0, 0x30], [1, -2, 0.5]),
        (.float8E4M3FNUZ, [0x40, 0xc8, 0x38], [1, -2, 0.5]),
        (.float8E5M2, [0x3c, 0xc0, 0x38], [1, -2, 0.5]),
        (.float8E5M2FNUZ, [0x40, 0xc4, 0x3c], [1, -2, 0.5]),
        (.float8E8M0, [127, 128, 126], [1, 2, 0.5]),
        (.float4E2M1, [0xc2, 0x01], [1, -2, 0.5]),
        (.int64, Wire.words([Int64(1), -2, 3]), [1, -2, 3]), (.uint64, Wire.words([UInt64(1), 2, 3]), [1, 2, 3]),
        (.int32, Wire.words([Int32(1), -2, 3]), [1, -2, 3]), (.uint32, Wire.words([UInt32(1), 2, 3]), [1, 2, 3]),
        (.int16, Wire.words([Int16(1), -2, 3]), [1, -2, 3]), (.uint16, Wire.words([UInt16(1), 2, 3]), [1, 2, 3]),
        (.int8, [1, 0xfe, 3], [1, -2, 3]), (.uint8, [1, 2, 3], [1, 2, 3]), (.bool, [1, 0, 1], [1, 0, 1]),
        (.uint4, [0x21, 0x0f], [1, 2, 15]), (.int4, [0xe1, 0x07], [1, -2, 7]),
        (.uint2, [0b11_10_01], [1, 2, 3]), (.int2, [0b01_10_01], [1, -2, 1]),
    ]

    @Test(arguments: rawElements)
    func `raw data of each type is read and written`(_ type: ElementType, _ bytes: [UInt8], _ values: [Double]) throws {
        let file = Self.model(B.tensor("w", type: Int64(type.rawValue), dims: [3], .field(9, bytes)))
        let folder = try ModelFolder()
        #expect(try folder.read(file).graph.initializers[0].doubles() == values)
        #expect(try folder.roundTrip(file) == file)
    }

    @Test func `the table holds every numeric type but the complex ones`() {
        let missing = Set(ElementType.allCases).subtracting(Self.rawElements.map(\.0))
        #expect(missing == [.string, .complex64, .complex128])
    }

    /// The typed field of each type, packed as the format says, and what the elements mean (complex: no reading).
    static let typedElements: [(ElementType, Wire, [Double]?)] = [
        (.float32, .field(4, Wire.words([Float(1), -2, 0.5].map(\.bitPattern))), [1, -2, 0.5]),
        (.complex64, .field(4, [UInt8](repeating: 0, count: 24)), nil),
        (.float64, .field(10, Wire.words([1, -2, 0.5].map(\.bitPattern))), [1, -2, 0.5]),
        (.complex128, .field(10, [UInt8](repeating: 0, count: 48)), nil),
        (.int64, .field(7, varints([1, -2, 3])), [1, -2, 3]),
        (.uint64, .field(11, varints([1, 2, 300])), [1, 2, 300]),
        (.uint32, .field(11, varints([1, 2, 300])), [1, 2, 300]),
        (.int32, .field(5, varints([1, -2, 300])), [1, -2, 300]),
        (.int16, .field(5, varints([1, -2, 300])), [1, -2, 300]),
        (.uint16, .field(5, varints([1, 2, 300])), [1, 2, 300]), (.int8, .field(5, varints([1, -2, 3])), [1, -2, 3]),
        (.uint8, .field(5, varints([1, 2, 255])), [1, 2, 255]), (.bool, .field(5, varints([1, 0, 1])), [1, 0, 1]),
        (.float16, .field(5, varints([0x3c00, 0xc000, 0x3800])), [1, -2, 0.5]),
        (.bfloat16, .field(5, varints([0x3f80, 0xc000, 0x3f00])), [1, -2, 0.5]),
        (.float8E4M3FN, .field(5, varints([0x38, 0xc0, 0x30])), [1, -2, 0.5]),
        (.float8E4M3FNUZ, .field(5, varints([0x40, 0xc8, 0x38])), [1, -2, 0.5]),
        (.float8E5M2, .field(5, varints([0x3c, 0xc0, 0x38])), [1, -2, 0.5]),
        (.float8E5M2FNUZ, .field(5, varints([0x40, 0xc4, 0x3c])), [1, -2, 0.5]),
        (.float8E8M0, .field(5, varints([127, 128, 126])), [1, 2, 0.5]),
        (.uint4, .field(5, varints([0x21, 0x0f])), [1, 2, 15]), (.int4, .field(5, varints([0xe1, 0x07])), [1, -2, 7]),
        (.float4E2M1, .field(5, varints([0xc2, 0x01])), [1, -2, 0.5]),
        (.uint2, .field(5, varints([0b11_10_01])), [1, 2, 3]), (.int2, .field(5, varints([0b01_10_01])), [1, -2, 1]),
        (.string, .string(6, "a") + .string(6, "") + .field(6, [0xff]), nil),
    ]

    private static func varints(_ values: [Int64]) -> [UInt8] {
        values.flatMap { Wire.varint(UInt64(bitPattern: $0)) }
    }

    @Test(arguments: typedElements)
    func `typed fields of each type are read and written`(
        _ type: ElementType, _ content: Wire, _ values: [Double]?
    ) throws {
        let file = Self.model(B.tensor("w", type: Int64(type.rawValue), dims: [3], content).sorted)
        let folder = try ModelFolder()
        let tensor = try folder.read(file).graph.initializers[0]
        if let values { #expect(try tensor.doubles() == values) }
        #expect(try folder.roundTrip(file) == file)
    }

    @Test func `the table of typed fields holds every type`() {
        #expect(Set(Self.typedElements.map(\.0)) == Set(ElementType.allCases))
    }
}
