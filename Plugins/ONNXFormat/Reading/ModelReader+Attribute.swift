internal import CONNX
internal import ConverterKit

extension ModelReader {
    /// The parts of an attribute that are messages.
    struct NestedValues {
        var tensors: [Tensor] = []
        var graphs: [Graph] = []
    }

    @inline(never)
    mutating func attribute(_ field: WireField) throws(ConversionError) -> Attribute {
        var presence = AttributePresence()
        var nested = NestedValues()
        var unknown: [UInt8] = []
        var parts = MessageParts(window, shell: [1, 2, 3, 4, 7, 8, 9, 20, 21], documents: [13])
        var cursor = MessageCursor(window, from: field.content, to: field.end)
        while let field = try cursor.next() {
            presence.note(field.number)
            switch field.number {
            case 5, 10: nested.tensors.append(try tensor(field))
            case 6, 11: nested.graphs.append(try graph(field))
            case 1, 2, 3, 4, 7, 8, 9, 13, 20, 21: try parts.keep(field)
            case _ where AttributePresence.foreign.contains(field.number): break
            default: try window.append(from: field.start, to: field.end, to: &unknown)
            }
        }
        return try attribute(field, parts, presence, nested, unknown)
    }

    /// Puts the attribute together, outside of the frame that nested graphs are read from.
    @inline(never)
    private mutating func attribute(
        _ field: WireField, _ parts: MessageParts, _ presence: AttributePresence, _ nested: NestedValues,
        _ unknown: [UInt8]
    ) throws(ConversionError) -> Attribute {
        var isCanonical = false
        var attribute = try unsafe parts.withShell(
            onnx__attribute_proto__unpack, onnx__attribute_proto__free_unpacked
        ) { shell in
            let statedType = unsafe shell.has_type != 0 ? Int32(bitPattern: shell.type.rawValue) : 0
            let kind = statedType == 0 ? presence.inferredKind : AttributeKind(rawValue: statedType)
            let value: Attribute.Value
            if presence.hasReference {
                value = unsafe .reference(Text.string(shell.ref_attr_name) ?? "")
            } else if let kind {
                value = unsafe Self.value(kind, shell, nested)
            } else {
                value = .other
            }
            // A doc string that no C string can hold was kept aside.
            isCanonical =
                statedType != 0 && parts.unmodelled.isEmpty && kind.map { presence.isCanonical($0) } ?? false
            return unsafe Attribute(
                name: Text.string(shell.name) ?? "", value: value, docString: Text.string(shell.doc_string),
                unmodelled: unknown)
        }
        if !isCanonical {
            attribute = Attribute(
                name: attribute.name, value: attribute.value, docString: attribute.docString,
                encoded: try retained(field), unmodelled: parts.unmodelled + unknown)
        }
        return attribute
    }

    /// The bytes of a message that is written back as it is; counted against the skeleton's limit.
    private mutating func retained(_ field: WireField) throws(ConversionError) -> [UInt8] {
        retainable -= field.count
        guard retainable >= 0 else {
            throw InputFault.limit(
                "onnx.skeleton-too-large",
                "attributes in unusual form take more than \(limits.skeletonBytes) bytes", offset: field.start)
        }
        return try window.bytes(from: field.content, to: field.end)
    }

    private static func value(
        _ kind: AttributeKind, _ shell: Onnx__AttributeProto, _ nested: NestedValues
    ) -> Attribute.Value {
        switch kind {
        case .float: unsafe .float(shell.f)
        case .int: unsafe .int(shell.i)
        case .string: unsafe .string(bytes(shell.s))
        case .tensor: nested.tensors.first.map { .tensor($0) } ?? .other
        case .graph: nested.graphs.first.map { .graph($0) } ?? .other
        case .floats: unsafe .floats(Array(UnsafeBufferPointer(start: shell.floats, count: shell.n_floats)))
        case .ints: unsafe .ints(Array(UnsafeBufferPointer(start: shell.ints, count: shell.n_ints)))
        case .strings: .strings((0..<(unsafe shell.n_strings)).map { unsafe bytes(shell.strings[$0]) })
        case .tensors: .tensors(nested.tensors)
        case .graphs: .graphs(nested.graphs)
        }
    }

    static func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
        unsafe Array(UnsafeBufferPointer(start: data.data, count: data.len))
    }
}
