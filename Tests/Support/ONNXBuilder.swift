/// Writes protobuf fields one after the other, sound or not, for test models.
public struct Wire: Sendable, ExpressibleByArrayLiteral {
    public private(set) var bytes: [UInt8]

    public init(_ bytes: [UInt8] = []) { self.bytes = bytes }
    public init(arrayLiteral parts: Wire...) { bytes = parts.flatMap(\.bytes) }

    public static func + (left: Wire, right: Wire) -> Wire { Wire(left.bytes + right.bytes) }

    /// A base-128 number.
    public static func varint(_ value: UInt64) -> [UInt8] {
        var (rest, bytes) = (value, [UInt8]())
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    public static func tag(_ number: Int, _ type: Int) -> [UInt8] { varint(UInt64(number << 3 | type)) }

    /// A varint field; negative numbers take ten bytes.
    public static func int(_ number: Int, _ value: Int64) -> Wire {
        Wire(tag(number, 0) + varint(UInt64(bitPattern: value)))
    }

    public static func float(_ number: Int, _ value: Float) -> Wire {
        Wire(tag(number, 5) + words([value.bitPattern]))
    }

    /// A length-delimited field: a message, bytes, packed numbers.
    public static func field(_ number: Int, _ content: [UInt8]) -> Wire {
        Wire(tag(number, 2) + varint(UInt64(content.count)) + content)
    }

    public static func message(_ number: Int, _ content: Wire) -> Wire { field(number, content.bytes) }
    public static func string(_ number: Int, _ text: String) -> Wire { field(number, Array(text.utf8)) }

    /// The fields in the order of their numbers, as other writers order them; for sound bytes without groups.
    public var sorted: Wire {
        var fields: [(number: UInt64, bytes: ArraySlice<UInt8>)] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let start = rest.startIndex
            let tag = Self.takeVarint(&rest)
            switch tag & 7 {
            case 0: _ = Self.takeVarint(&rest)
            case 1: rest = rest.dropFirst(8)
            case 2:
                let count = Int(Self.takeVarint(&rest))
                rest = rest.dropFirst(count)
            default: rest = rest.dropFirst(4)
            }
            fields.append((tag >> 3, bytes[start..<rest.startIndex]))
        }
        let order = fields.indices.sorted { (fields[$0].number, $0) < (fields[$1].number, $1) }
        return Wire(order.flatMap { fields[$0].bytes })
    }

    private static func takeVarint(_ rest: inout ArraySlice<UInt8>) -> UInt64 {
        var (value, shift) = (UInt64(0), UInt64(0))
        while let byte = rest.popFirst() {
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { break }
            shift += 7
        }
        return value
    }

    /// Little-endian bytes of words.
    public static func words(_ words: [some FixedWidthInteger]) -> [UInt8] {
        words.flatMap { word in (0..<(word.bitWidth / 8)).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
    }
}

/// Builds the messages of ONNX files for tests, without the code under test.
public enum ONNXBuilder {
    /// A `ModelProto` around the content of a graph. `nil` leaves a field out.
    public static func model(
        irVersion: Int64? = 8, operatorSets: [(domain: String?, version: Int64?)] = [(nil, 17)], graph: Wire?,
        functions: [Wire] = [], extra: Wire = []
    ) -> [UInt8] {
        var wire = irVersion.map { Wire.int(1, $0) } ?? []
        if let graph { wire = wire + .message(7, graph) }
        for set in operatorSets { wire = wire + .message(8, operatorSet(set.domain, set.version)) }
        for function in functions { wire = wire + .message(25, function) }
        return (wire + extra).bytes
    }

    public static func operatorSet(_ domain: String?, _ version: Int64?) -> Wire {
        (domain.map { .string(1, $0) } ?? []) + (version.map { .int(2, $0) } ?? [])
    }

    /// The content of a `GraphProto`; inputs and outputs are float tensors of unknown shape.
    public static func graph(
        name: String = "g", nodes: [Wire] = [], initializers: [Wire] = [], inputs: [String] = ["x"],
        outputs: [String] = ["y"], extra: Wire = []
    ) -> Wire {
        var wire: Wire = []
        for node in nodes { wire = wire + .message(1, node) }
        wire = wire + .string(2, name)
        for tensor in initializers { wire = wire + .message(5, tensor) }
        for input in inputs { wire = wire + .message(11, value(input)) }
        for output in outputs { wire = wire + .message(12, value(output)) }
        return wire + extra
    }

    public static func value(_ name: String, elementType: Int64 = 1) -> Wire {
        .string(1, name) + .message(2, .message(1, .int(1, elementType)))
    }

    public static func node(
        _ operation: String, _ inputs: [String], _ outputs: [String], name: String? = nil, domain: String? = nil,
        attributes: [Wire] = [], extra: Wire = []
    ) -> Wire {
        var wire: Wire = []
        for input in inputs { wire = wire + .string(1, input) }
        for output in outputs { wire = wire + .string(2, output) }
        if let name { wire = wire + .string(3, name) }
        wire = wire + .string(4, operation)
        for attribute in attributes { wire = wire + .message(5, attribute) }
        if let domain { wire = wire + .string(7, domain) }
        return wire + extra
    }

    /// An attribute with the value field `content` and, unless 0, the type.
    public static func attribute(_ name: String, type: Int64, _ content: Wire) -> Wire {
        .string(1, name) + content + (type == 0 ? [] : .int(20, type))
    }

    public static func tensor(
        _ name: String?, type: Int64 = 1, dims: [Int64], _ content: Wire = []
    ) -> Wire {
        var wire: Wire = []
        for extent in dims { wire = wire + .int(1, extent) }
        wire = wire + .int(2, type)
        if let name { wire = wire + .string(8, name) }
        return wire + content
    }

    /// `raw_data` of single-precision numbers.
    public static func raw(_ values: [Float]) -> Wire { .field(9, Wire.words(values.map(\.bitPattern))) }

    /// The reference to external data, with the keys in the given order.
    public static func external(_ entries: [(String, String)]) -> Wire {
        var wire: Wire = []
        for (key, value) in entries { wire = wire + .message(13, .string(1, key) + .string(2, value)) }
        return wire + .int(14, 1)
    }

    public static func function(
        _ name: String, domain: String = "my", inputs: [String] = ["a"], outputs: [String] = ["b"], nodes: [Wire],
        extra: Wire = []
    ) -> Wire {
        var wire = Wire.string(1, name)
        for input in inputs { wire = wire + .string(4, input) }
        for output in outputs { wire = wire + .string(5, output) }
        for node in nodes { wire = wire + .message(7, node) }
        return wire + .message(9, operatorSet("", 17)) + .string(10, domain) + extra
    }

    /// x → Relu → y: the smallest model that is one.
    public static var small: [UInt8] { model(graph: graph(nodes: [node("Relu", ["x"], ["y"])])) }
}
