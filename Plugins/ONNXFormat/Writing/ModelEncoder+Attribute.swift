internal import CONNX
internal import ConverterKit

extension ModelEncoder {
    static func attribute(_ attribute: Attribute) throws(ConversionError) -> Rope {
        if let encoded = attribute.encoded { return Rope(encoded) }
        let arena = PackArena()
        var message = unsafe Onnx__AttributeProto()
        unsafe onnx__attribute_proto__init(&message)
        unsafe message.name = arena.string(attribute.name)
        unsafe message.doc_string = arena.string(attribute.docString)
        if let kind = kind(of: attribute.value) {
            unsafe message.has_type = 1
            unsafe message.type = Onnx__AttributeProto__AttributeType(rawValue: UInt32(bitPattern: kind.rawValue))
        }
        var builder = MessageBuilder()
        switch attribute.value {
        case .float(let value): unsafe (message.has_f, message.f) = (1, value)
        case .int(let value): unsafe (message.has_i, message.i) = (1, value)
        case .string(let bytes): unsafe (message.has_s, message.s) = (1, arena.data(bytes))
        case .floats(let values): unsafe (message.n_floats, message.floats) = (values.count, arena.array(values))
        case .ints(let values): unsafe (message.n_ints, message.ints) = (values.count, arena.array(values))
        case .strings(let values):
            unsafe (message.n_strings, message.strings) = (
                values.count, arena.array(values.map { unsafe arena.data($0) })
            )
        case .reference(let name): unsafe message.ref_attr_name = arena.string(name)
        case .tensor(let value): builder.add(AttributeKind.tensor.field, try tensor(value))
        case .graph(let value): builder.add(AttributeKind.graph.field, try graph(value))
        case .tensors(let values): try builder.add(AttributeKind.tensors.field, each: values, tensor)
        case .graphs(let values): try builder.add(AttributeKind.graphs.field, each: values, graph)
        case .other:
            throw ConversionError(
                "output.attribute", .internal, "the attribute \(attribute.name) has no value that can be written",
                remedy: "Report this.")
        }
        builder.add(encoded: try unsafe arena.pack(&message))
        builder.add(encoded: attribute.unmodelled)
        return builder.finish()
    }

    private static func kind(of value: Attribute.Value) -> AttributeKind? {
        switch value {
        case .float: .float
        case .int: .int
        case .string: .string
        case .tensor: .tensor
        case .graph: .graph
        case .floats: .floats
        case .ints: .ints
        case .strings: .strings
        case .tensors: .tensors
        case .graphs: .graphs
        case .reference, .other: nil
        }
    }

    static func tensor(_ tensor: Tensor) throws(ConversionError) -> Rope {
        let arena = PackArena()
        var message = unsafe Onnx__TensorProto()
        unsafe onnx__tensor_proto__init(&message)
        unsafe message.name = arena.string(tensor.name)
        unsafe message.has_data_type = 1
        unsafe message.data_type = tensor.elementTypeNumber
        unsafe message.doc_string = arena.string(tensor.docString)
        unsafe (message.n_dims, message.dims) = (tensor.shape.count, arena.array(tensor.shape))
        var builder = MessageBuilder()
        switch tensor.payload {
        case .none: break
        case .raw(let source): builder.add(TensorField.raw, source)
        case .words(let field, let source), .varints(let field, let source): builder.add(field.rawValue, source)
        case .strings(let strings): try builder.add(TensorField.strings, each: strings) { Rope($0) }
        case .external(let external):
            unsafe (message.has_data_location, message.data_location) = (1, ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
            try builder.add(TensorField.externalData, each: external.entries, entry)
        }
        builder.add(encoded: try unsafe arena.pack(&message))
        builder.add(encoded: tensor.unmodelled)
        return builder.finish()
    }
}

extension MessageBuilder {
    /// Adds a length-delimited field whose content may lie in a file.
    mutating func add(_ number: Int, _ source: ByteSource) {
        var rope = Rope()
        rope.append(source)
        add(number, rope)
    }
}
