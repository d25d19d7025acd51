internal import ConverterKit
internal import TestSupport
internal import Testing

struct WireTests {
    typealias B = ONNXBuilder

    /// A sound model with more bytes behind it, at the outermost level.
    private static func followed(by bytes: [UInt8]) -> [UInt8] { B.small + bytes }

    /// A sound model but for one node.
    private static func node(_ wire: Wire) -> [UInt8] { B.model(graph: B.graph(nodes: [wire])) }

    private static let relu = B.node("Relu", ["x"], ["y"])

    static let cases: [FileCase] = [
        FileCase("empty", [], "onnx.empty-file"),
        FileCase("text", Array("hello, world\n".utf8), "onnx.wire.type"),
        FileCase("zeros", [UInt8](repeating: 0, count: 64), "onnx.wire.field-number"),
        FileCase("no graph", B.model(graph: nil), "onnx.no-graph"),
        FileCase("field number 0", followed(by: [0x00, 0x01]), "onnx.wire.field-number"),
        FileCase("group", followed(by: [0x0b, 0x0c]), "onnx.wire.type"),
        FileCase("wire type 7", followed(by: [0x0f]), "onnx.wire.type"),
        FileCase("length beyond the file", followed(by: [0x12, 0x7f, 0x41]), "onnx.truncated"),
        FileCase("length of 2^63", followed(by: [0x12] + Wire.varint(1 << 63)), "onnx.truncated"),
        FileCase(
            "length beyond the message", B.model(graph: Wire(Wire.tag(1, 2) + [0x20, 0x00])), "onnx.wire.length"),
        FileCase("varint cut by the file", followed(by: [0x08, 0x80]), "onnx.truncated"),
        FileCase("varint cut by the message", node(relu + Wire([0x50, 0x80])), "onnx.wire.varint"),
        FileCase(
            "varint of eleven bytes", followed(by: [0x08] + [UInt8](repeating: 0x80, count: 10) + [0]),
            "onnx.wire.varint"),
        FileCase(
            "varint beyond 64 bits", followed(by: [0x08] + [UInt8](repeating: 0xff, count: 9) + [2]), "onnx.wire.varint"
        ),
        FileCase("padded varint", followed(by: [0x28, 0x81, 0x80, 0x00]), nil),
        FileCase("tag beyond 32 bits", followed(by: Wire.varint(1 << 35) + [0]), "onnx.wire.field-number"),
        FileCase("string as a number", node(relu + .int(3, 1)), "onnx.wire.type"),
        FileCase("number as a string", followed(by: Wire.string(5, "1").bytes), "onnx.wire.type"),
        FileCase("graph as a number", followed(by: Wire.int(7, 1).bytes), "onnx.wire.type"),
        FileCase("two graphs", followed(by: Wire.message(7, []).bytes), "onnx.wire.duplicate-field"),
        FileCase("singular number twice, the last counts", followed(by: Wire.int(1, 9).bytes), nil),
        FileCase("name that is not UTF-8", node(relu + .field(3, [0xff, 0xfe])), "onnx.name-encoding"),
        FileCase("overlong UTF-8", node(relu + .field(3, [0xc0, 0x80])), "onnx.name-encoding"),
        FileCase("zero byte in a name", node(relu + .string(3, "a\0b")), "onnx.name-encoding"),
        FileCase("doc string that is not UTF-8", node(relu + .field(6, [0xff, 0x00])), nil),
        FileCase(
            "unknown fields of each wire type",
            followed(by: [
                0x80, 0x7d, 0x05, 0x81, 0x7d, 1, 2, 3, 4, 5, 6, 7, 8, 0x82, 0x7d, 0x01, 0xff, 0x85, 0x7d, 1, 2, 3, 4,
            ]), nil),
        FileCase("unknown field cut short", node(relu + Wire([0x85, 0x7d, 1, 2])), "onnx.wire.length"),
        FileCase("node without operator", node(.string(1, "x")), "onnx.node.no-operation"),
        FileCase(
            "packed words that end inside a word",
            B.model(
                graph: B.graph(
                    nodes: [relu],
                    initializers: [
                        B.tensor("w", dims: [1], .field(4, [0, 0, 0, 0, 0]))
                    ])), "onnx.wire.length"),
        FileCase(
            "packed varints that end inside a varint",
            B.model(
                graph: B.graph(
                    nodes: [relu],
                    initializers: [
                        B.tensor("w", type: 7, dims: [1], .field(7, [0x81]))
                    ])), "onnx.wire.varint"),
    ]

    @Test(arguments: cases)
    func `malformed bytes are refused with the code of the damage`(_ file: FileCase) throws {
        #expect(try ModelFolder().code(file.bytes) == file.code)
    }

    @Test func `what was read of a singular field given twice is the last`() throws {
        let model = try ModelFolder().read(Self.followed(by: Wire.int(1, 9).bytes))
        #expect(model.irVersion == 9)
    }

    /// Each number of a packed field alone, and packed and single ones mixed, mean the same elements.
    @Test func `packed and single numbers mix`() throws {
        let forms: [Wire] = [
            .field(7, [1, 2, 0x80, 0x01]), .int(7, 1) + .int(7, 2) + .int(7, 128),
            .field(7, [1]) + .int(7, 2) + .field(7, [0x80, 1]),
        ]
        for form in forms {
            let model = try ModelFolder().read(
                B.model(graph: B.graph(nodes: [Self.relu], initializers: [B.tensor("w", type: 7, dims: [3], form)])))
            #expect(try model.graph.initializers[0].integers() == [1, 2, 128])
        }
    }

    @Test func `a model cut at any byte is refused or whole`() throws {
        let folder = try ModelFolder()
        let whole = SampleModel.everyKind
        for count in whole.indices {
            let code = try folder.code(Array(whole[..<count]))
            if let code { #expect(code.hasPrefix("onnx.") || code.hasPrefix("shape."), "cut at \(count)") }
            if count < whole.count / 2 { #expect(code != nil, "cut at \(count)") }
        }
        #expect(try folder.code(whole) == nil)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `flipped bits are refused, or give a model that can be written`(_ seed: UInt64) throws {
        let folder = try ModelFolder()
        var random = SplitMix(state: seed)
        let whole = SampleModel.everyKind
        var accepted = 0
        for round in 0..<1000 {
            var bytes = whole
            for _ in 0...Int(random.next() % 4) {
                bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
            }
            guard try folder.code(bytes) == nil else { continue }
            accepted += 1
            let again = try folder.roundTrip(bytes)
            #expect(try folder.code(again) == nil, "seed \(seed), round \(round)")
        }
        #expect(accepted > 0 && accepted < 1000, "seed \(seed): \(accepted) of 1000 were accepted")
    }
}

/// Seeded random numbers (Steele, Lea, Flood 2014).
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
