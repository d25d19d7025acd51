internal import CONNX
public import ConverterKit

/// A value of a graph's input or output that is stored in a file of its own.
public indirect enum StoredValue: Sendable {
    case tensor(Tensor)
    case sequence([StoredValue])
    case optional(StoredValue?)

    /// Which message a file holds; the file itself does not say.
    public indirect enum Kind: Sendable, Hashable {
        case tensor
        case sequence(Kind)
        case optional(Kind)

        /// That of a graph's input or output. Throws `onnx.data.kind` for maps and sparse tensors.
        public init(_ info: ValueInfo) throws(ConversionError) {
            guard let encoded = info.encodedType else {
                self = .tensor
                return
            }
            let kind = try unsafe MessageParts.withUnpacked(
                encoded, onnx__type_proto__unpack, onnx__type_proto__free_unpacked
            ) { type in unsafe Kind(type) }
            guard let kind else {
                throw InputFault.bad(
                    "onnx.data.kind", "\(info.name ?? "a value") is a map or a sparse tensor, which no data file gives")
            }
            self = kind
        }

        private init?(_ type: Onnx__TypeProto) {
            switch unsafe type.value_case {
            case ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE, ONNX__TYPE_PROTO__VALUE__NOT_SET: self = .tensor
            case ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE:
                guard let inner = unsafe type.sequence_type?.pointee.elem_type?.pointee, let kind = unsafe Kind(inner)
                else { return nil }
                self = .sequence(kind)
            case ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE:
                guard let inner = unsafe type.optional_type?.pointee.elem_type?.pointee, let kind = unsafe Kind(inner)
                else { return nil }
                self = .optional(kind)
            default: return nil
            }
        }
    }
}

/// Reads the files `input_N.pb` and `output_N.pb` that lie with a model in folders `test_data_set_N`.
///
/// The file is one message: `TensorProto`, `SequenceProto` or `OptionalProto`. The last two have no schema among the
/// model's own; their fields are few:
///
///     SequenceProto: 2 elem_type, 3 tensor_values, 5 sequence_values, 7 optional_values
///     OptionalProto: 2 elem_type, 3 tensor_value,  5 sequence_value,  7 optional_value
public struct DataReader {
    private var reader: ModelReader
    private let limits: ImportLimits
    private var values = 0

    private static let mostValues = 1 << 16
    private static let greatestDepth = 16
    private static let (tensorField, sequenceField, optionalField) = (3, 5, 7)

    /// Reads the value at `path`. Tensors of some size stay regions of the opened file. Errors: `input.*` when it cannot
    /// be opened or read, `onnx.*` and `shape.*` when it is no sound message of that kind.
    public static func read(
        path: String, as kind: StoredValue.Kind, limits: ImportLimits = ImportLimits()
    ) throws(ConversionError) -> StoredValue {
        do throws(ConversionError) {
            let file = try OpenFile(path: path)
            guard file.size <= limits.fileBytes else {
                throw InputFault.limit(
                    "onnx.file-too-large", "the file has \(file.size) bytes; the limit is \(limits.fileBytes)")
            }
            var reader = DataReader(reader: ModelReader(file, limits: limits), limits: limits)
            let whole = WireField(
                number: 1, type: .lengthDelimited, start: 0, content: 0, end: file.size, varint: 0)
            return try reader.value(whole, kind, depth: 0)
        } catch {
            throw error.at(.init(file: path))
        }
    }

    private init(reader: ModelReader, limits: ImportLimits) {
        self.reader = reader
        self.limits = limits
    }

    private mutating func value(
        _ field: WireField, _ kind: StoredValue.Kind, depth: Int
    ) throws(ConversionError) -> StoredValue {
        values += 1
        guard depth < Self.greatestDepth, values <= Self.mostValues else {
            throw InputFault.limit("onnx.data.too-many-values", "the file holds too many values", offset: field.start)
        }
        switch kind {
        case .tensor:
            var verifier = WireVerifier(reader.window, limits: limits)
            try verifier.verify(field, as: Schema.tensor)
            return .tensor(try reader.tensor(field))
        case .sequence(let inner): return .sequence(try members(field, inner, depth: depth))
        case .optional(let inner):
            let members = try members(field, inner, depth: depth)
            guard members.count <= 1 else {
                throw InputFault.bad(
                    "onnx.data.several-values", "an optional holds several values", offset: field.start)
            }
            return .optional(members.first)
        }
    }

    /// The values in a sequence or an optional.
    private mutating func members(
        _ field: WireField, _ kind: StoredValue.Kind, depth: Int
    ) throws(ConversionError) -> [StoredValue] {
        let wanted =
            switch kind {
            case .tensor: Self.tensorField
            case .sequence: Self.sequenceField
            case .optional: Self.optionalField
            }
        var members: [StoredValue] = []
        var cursor = MessageCursor(reader.window, from: field.content, to: field.end)
        while let inner = try cursor.next() {
            guard inner.type == .lengthDelimited, (3...7).contains(inner.number) else { continue }
            guard inner.number == wanted else {
                throw InputFault.bad(
                    "onnx.data.kind", "the file holds another kind of value than the model states",
                    offset: inner.start)
            }
            members.append(try value(inner, kind, depth: depth + 1))
        }
        return members
    }
}
