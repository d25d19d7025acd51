internal import CONNX
internal import ConverterKit

/// Turns a model into the bytes of an ONNX file. Small messages are packed by protobuf-c one at a time; payloads are
/// referred to and never loaded.
enum ModelEncoder {
    static func model(_ model: Model) throws(ConversionError) -> Rope {
        let arena = PackArena()
        var message = unsafe Onnx__ModelProto()
        unsafe onnx__model_proto__init(&message)
        unsafe message.has_ir_version = model.irVersion == nil ? 0 : 1
        unsafe message.ir_version = model.irVersion ?? 0
        unsafe message.producer_name = arena.string(model.producerName)
        unsafe message.producer_version = arena.string(model.producerVersion)
        unsafe message.domain = arena.string(model.domain)
        unsafe message.has_model_version = model.modelVersion == nil ? 0 : 1
        unsafe message.model_version = model.modelVersion ?? 0
        unsafe message.doc_string = arena.string(model.docString)
        var builder = MessageBuilder()
        builder.add(encoded: try unsafe arena.pack(&message))
        builder.add(7, try graph(model.graph))
        try builder.add(8, each: model.operatorSets, operatorSet)
        try builder.add(14, each: model.metadata, entry)
        try builder.add(25, each: model.functions, function)
        builder.add(encoded: model.unmodelled)
        return builder.finish()
    }

    static func operatorSet(_ set: OperatorSet) throws(ConversionError) -> Rope {
        let arena = PackArena()
        var message = unsafe Onnx__OperatorSetIdProto()
        unsafe onnx__operator_set_id_proto__init(&message)
        unsafe message.domain = arena.string(set.domain)
        unsafe message.has_version = set.version == nil ? 0 : 1
        unsafe message.version = set.version ?? 0
        return try with(unsafe arena.pack(&message), set.unmodelled)
    }

    static func entry(_ entry: MetadataEntry) throws(ConversionError) -> Rope {
        let arena = PackArena()
        var message = unsafe Onnx__StringStringEntryProto()
        unsafe onnx__string_string_entry_proto__init(&message)
        unsafe message.key = arena.string(entry.key)
        unsafe message.value = arena.string(entry.value)
        return try with(unsafe arena.pack(&message), entry.unmodelled)
    }

    static func function(_ function: Function) throws(ConversionError) -> Rope {
        let arena = PackArena()
        var message = unsafe Onnx__FunctionProto()
        unsafe onnx__function_proto__init(&message)
        unsafe message.name = arena.string(function.name)
        unsafe message.domain = arena.string(function.domain)
        unsafe message.overload = arena.string(function.overload)
        unsafe message.doc_string = arena.string(function.docString)
        unsafe (message.n_input, message.input) = (function.inputs.count, arena.strings(function.inputs))
        unsafe (message.n_output, message.output) = (function.outputs.count, arena.strings(function.outputs))
        var builder = MessageBuilder()
        builder.add(encoded: try unsafe arena.pack(&message))
        try builder.add(7, each: function.nodes, node)
        try builder.add(9, each: function.operatorSets, operatorSet)
        builder.add(encoded: function.unmodelled)
        return builder.finish()
    }

    static func graph(_ graph: Graph) throws(ConversionError) -> Rope {
        let arena = PackArena()
        var message = unsafe Onnx__GraphProto()
        unsafe onnx__graph_proto__init(&message)
        unsafe message.name = arena.string(graph.name)
        unsafe message.doc_string = arena.string(graph.docString)
        var builder = MessageBuilder()
        builder.add(encoded: try unsafe arena.pack(&message))
        try builder.add(1, each: graph.nodes, node)
        try builder.add(5, each: graph.initializers, tensor)
        try builder.add(11, each: graph.inputs, valueInfo)
        try builder.add(12, each: graph.outputs, valueInfo)
        try builder.add(13, each: graph.valueInfo, valueInfo)
        builder.add(encoded: graph.unmodelled)
        return builder.finish()
    }

    static func node(_ node: Node) throws(ConversionError) -> Rope {
        let arena = PackArena()
        var message = unsafe Onnx__NodeProto()
        unsafe onnx__node_proto__init(&message)
        unsafe message.name = arena.string(node.name)
        unsafe message.op_type = arena.string(node.operation)
        unsafe message.domain = arena.string(node.domain)
        unsafe message.overload = arena.string(node.overload)
        unsafe message.doc_string = arena.string(node.docString)
        unsafe (message.n_input, message.input) = (node.inputs.count, arena.strings(node.inputs))
        unsafe (message.n_output, message.output) = (node.outputs.count, arena.strings(node.outputs))
        let shell = try unsafe arena.pack(&message)
        guard !node.attributes.isEmpty || !node.unmodelled.isEmpty else { return Rope(shell) }
        var builder = MessageBuilder()
        builder.add(encoded: shell)
        try builder.add(5, each: node.attributes, attribute)
        builder.add(encoded: node.unmodelled)
        return builder.finish()
    }

    static func valueInfo(_ value: ValueInfo) throws(ConversionError) -> Rope {
        let arena = PackArena()
        var message = unsafe Onnx__ValueInfoProto()
        unsafe onnx__value_info_proto__init(&message)
        unsafe message.name = arena.string(value.name)
        unsafe message.doc_string = arena.string(value.docString)
        var builder = MessageBuilder()
        builder.add(encoded: try unsafe arena.pack(&message))
        if let encoded = value.encodedType {
            builder.add(2, Rope(encoded))
        } else if let type = value.tensorType {
            builder.add(2, try tensorType(type))
        }
        builder.add(encoded: value.unmodelled)
        return builder.finish()
    }

    /// A `TypeProto` with a tensor type.
    private static func tensorType(_ type: TensorType) throws(ConversionError) -> Rope {
        let arena = PackArena()
        var message = unsafe Onnx__TypeProto__Tensor()
        unsafe onnx__type_proto__tensor__init(&message)
        unsafe message.has_elem_type = 1
        unsafe message.elem_type = type.elementTypeNumber
        var builder = MessageBuilder()
        builder.add(encoded: try unsafe arena.pack(&message))
        if let shape = type.shape {
            var dimensions = MessageBuilder()
            try dimensions.add(1, each: shape, dimension)
            builder.add(2, dimensions.finish())
        }
        var rope = Rope()
        rope.append(field: 1, builder.finish())
        return rope
    }

    private static func dimension(_ dimension: TensorType.Dimension) throws(ConversionError) -> Rope {
        let arena = PackArena()
        var message = unsafe Onnx__TensorShapeProto__Dimension()
        unsafe onnx__tensor_shape_proto__dimension__init(&message)
        switch dimension {
        case .fixed(let extent):
            unsafe message.value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE
            unsafe message.dim_value = extent
        case .symbol(let name):
            unsafe message.value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
            unsafe message.dim_param = arena.string(name)
        case .unknown: break
        }
        return Rope(try unsafe arena.pack(&message))
    }

    /// A packed shell with the fields that were kept as bytes.
    static func with(_ shell: [UInt8], _ unmodelled: [UInt8]) -> Rope {
        guard !unmodelled.isEmpty else { return Rope(shell) }
        var builder = MessageBuilder()
        builder.add(encoded: shell)
        builder.add(encoded: unmodelled)
        return builder.finish()
    }
}
