internal import CONNX
internal import ConverterKit

extension ModelReader {
    @inline(never)
    mutating func graph(_ field: WireField) throws(ConversionError) -> Graph {
        var graph = Graph(name: nil)
        var parts = MessageParts(window, shell: [2], documents: [10])
        var cursor = MessageCursor(window, from: field.content, to: field.end)
        while let field = try cursor.next() {
            switch field.number {
            case 1: graph.nodes.append(try node(field))
            case 5: graph.initializers.append(try tensor(field))
            case 11: graph.inputs.append(try valueInfo(field))
            case 12: graph.outputs.append(try valueInfo(field))
            case 13: graph.valueInfo.append(try valueInfo(field))
            default: try parts.keep(field)
            }
        }
        try unsafe parts.withShell(onnx__graph_proto__unpack, onnx__graph_proto__free_unpacked) { shell in
            graph.name = unsafe Text.string(shell.name)
            graph.docString = unsafe Text.string(shell.doc_string)
        }
        graph.unmodelled = parts.unmodelled
        return graph
    }

    mutating func function(_ field: WireField) throws(ConversionError) -> Function {
        var nodes: [Node] = []
        var operatorSets: [OperatorSet] = []
        var parts = MessageParts(window, shell: [1, 4, 5, 10, 13], documents: [8])
        var cursor = MessageCursor(window, from: field.content, to: field.end)
        while let field = try cursor.next() {
            switch field.number {
            case 7: nodes.append(try node(field))
            case 9: operatorSets.append(try operatorSet(field))
            default: try parts.keep(field)
            }
        }
        return try unsafe parts.withShell(
            onnx__function_proto__unpack, onnx__function_proto__free_unpacked
        ) { shell in
            unsafe Function(
                name: Text.string(shell.name), domain: Text.string(shell.domain),
                overload: Text.string(shell.overload), inputs: Text.strings(shell.input, shell.n_input),
                outputs: Text.strings(shell.output, shell.n_output), nodes: nodes, operatorSets: operatorSets,
                docString: Text.string(shell.doc_string), unmodelled: parts.unmodelled)
        }
    }

    @inline(never)
    mutating func node(_ field: WireField) throws(ConversionError) -> Node {
        var attributes: [Attribute] = []
        var parts = MessageParts(window, shell: [1, 2, 3, 4, 7, 8], documents: [6])
        var cursor = MessageCursor(window, from: field.content, to: field.end)
        while let field = try cursor.next() {
            if field.number == 5 { attributes.append(try attribute(field)) } else { try parts.keep(field) }
        }
        let node = try unsafe parts.withShell(
            onnx__node_proto__unpack, onnx__node_proto__free_unpacked
        ) { shell in
            unsafe Node(
                name: Text.string(shell.name), operation: Text.string(shell.op_type) ?? "",
                domain: Text.string(shell.domain), overload: Text.string(shell.overload),
                inputs: Text.strings(shell.input, shell.n_input), outputs: Text.strings(shell.output, shell.n_output),
                attributes: attributes, docString: Text.string(shell.doc_string), unmodelled: parts.unmodelled)
        }
        guard !node.operation.isEmpty else {
            throw InputFault.bad(
                "onnx.node.no-operation", "a node has no operator", node: node.name, offset: field.start)
        }
        return node
    }

    /// The type is kept as bytes; where it is a tensor's, its parts are decoded too.
    @inline(never)
    func valueInfo(_ field: WireField) throws(ConversionError) -> ValueInfo {
        var encodedType: [UInt8]?
        var parts = MessageParts(window, shell: [1], documents: [3])
        var cursor = MessageCursor(window, from: field.content, to: field.end)
        while let field = try cursor.next() {
            if field.number == 2 {
                encodedType = try window.bytes(from: field.content, to: field.end)
            } else {
                try parts.keep(field)
            }
        }
        let tensorType: TensorType? = if let encodedType { try Self.tensorType(encodedType) } else { nil }
        return try unsafe parts.withShell(
            onnx__value_info_proto__unpack, onnx__value_info_proto__free_unpacked
        ) { shell in
            unsafe ValueInfo(
                name: Text.string(shell.name), tensorType: tensorType, docString: Text.string(shell.doc_string),
                encodedType: encodedType, unmodelled: parts.unmodelled)
        }
    }

    /// The tensor type in an encoded `TypeProto`; `nil` for the other kinds.
    private static func tensorType(_ encoded: [UInt8]) throws(ConversionError) -> TensorType? {
        try unsafe MessageParts.withUnpacked(
            encoded, onnx__type_proto__unpack, onnx__type_proto__free_unpacked
        ) { type in
            guard unsafe type.value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE,
                let tensor = unsafe type.tensor_type?.pointee
            else { return nil }
            var dimensions: [TensorType.Dimension]?
            if let shape = unsafe tensor.shape?.pointee {
                dimensions = unsafe (0..<shape.n_dim).map { index in
                    guard let dimension = unsafe shape.dim[index]?.pointee else { return .unknown }
                    switch unsafe dimension.value_case {
                    case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE:
                        return unsafe .fixed(dimension.dim_value)
                    case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM:
                        return unsafe .symbol(Text.string(dimension.dim_param) ?? "")
                    default: return .unknown
                    }
                }
            }
            return unsafe TensorType(elementTypeNumber: tensor.elem_type, shape: dimensions)
        }
    }
}
