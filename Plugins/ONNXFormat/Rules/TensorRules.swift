internal import ConverterKit

/// What must hold of a tensor's shape, type and payload.
enum TensorRules {
    /// Extents and their product; the rank was checked before the tensor was decoded.
    static func checkShape(_ tensor: Tensor, limits: ImportLimits) throws(ConversionError) {
        if let extent = tensor.shape.first(where: { $0 < 0 }) {
            throw InputFault.bad("shape.negative", "a tensor has the extent \(extent)")
        }
        guard let count = tensor.elementCount else {
            throw InputFault.bad("shape.overflow", "the shape \(tensor.shape) has more elements than can be counted")
        }
        guard count <= limits.tensorElements else {
            throw InputFault.limit(
                "shape.too-large", "the shape \(tensor.shape) has more than \(limits.tensorElements) elements")
        }
    }

    /// Compares what is stored with what shape and type ask for. `varints` counts the numbers of a varint field. A type
    /// that this program does not know passes.
    static func checkPayload(_ tensor: Tensor, varints: Int) throws(ConversionError) {
        guard tensor.elementTypeNumber != 0 else {
            throw InputFault.bad("onnx.tensor.no-type", "a tensor states no element type")
        }
        guard let type = tensor.elementType, let count = tensor.elementCount else { return }
        switch tensor.payload {
        case .none:
            try expect(0, count, "elements", tensor)
        case .strings(let strings):
            guard type == .string else { throw wrongField(tensor, type) }
            try expect(strings.count, count, "strings", tensor)
        case .raw(let source): try checkBytes(source.count, type, count, tensor)
        case .external(let external): try checkBytes(external.bytes.count, type, count, tensor)
        case .words(let field, let source):
            let types: [ElementType] = field == .float ? [.float32, .complex64] : [.float64, .complex128]
            guard types.contains(type) else { throw wrongField(tensor, type) }
            try checkBytes(source.count, type, count, tensor)
        case .varints(let field, _):
            guard types(of: field).contains(type) else { throw wrongField(tensor, type) }
            let perNumber = type.bitWidth.map { $0 < 8 ? 8 / $0 : 1 } ?? 1
            try expect(varints, count / perNumber + (count % perNumber == 0 ? 0 : 1), "numbers", tensor)
        }
    }

    private static func types(of field: Tensor.TypedField) -> Set<ElementType> {
        switch field {
        case .int64: [.int64]
        case .uint64: [.uint32, .uint64]
        case .int32:
            [
                .int32, .int16, .int8, .int4, .int2, .uint16, .uint8, .uint4, .uint2, .bool, .float16, .bfloat16,
                .float8E4M3FN, .float8E4M3FNUZ, .float8E5M2, .float8E5M2FNUZ, .float8E8M0, .float4E2M1,
            ]
        case .float, .double: []
        }
    }

    private static func checkBytes(
        _ bytes: Int, _ type: ElementType, _ count: Int, _ tensor: Tensor
    ) throws(ConversionError) {
        guard type != .string else { throw wrongField(tensor, type) }
        guard let wanted = type.byteCount(of: count) else {
            throw InputFault.bad("shape.overflow", "the shape \(tensor.shape) has more bytes than can be counted")
        }
        try expect(bytes, wanted, "bytes", tensor)
    }

    private static func expect(_ stored: Int, _ wanted: Int, _ what: String, _ tensor: Tensor) throws(ConversionError) {
        guard stored == wanted else {
            throw InputFault.bad(
                "shape.payload-size",
                "a tensor stores \(stored) \(what) where its shape \(tensor.shape) asks for \(wanted)")
        }
    }

    private static func wrongField(_ tensor: Tensor, _ type: ElementType) -> ConversionError {
        InputFault.bad("onnx.tensor.wrong-field", "elements of type \(type) are stored in a field of another type")
    }
}
