/// A constant of the model: a weight, a bias, a shape.
public struct Tensor: Sendable {
    public var name: String?
    /// The element type's number in the format, kept even where this kit does not know the type.
    public var elementTypeNumber: Int32
    /// Extents, outermost first; empty for a scalar.
    public var shape: [Int64]
    public var payload: Payload
    public var docString: String?
    /// Fields that this kit does not model, in the encoding of the format the model came from.
    public var unmodelled: [UInt8]

    /// How the elements are stored. An exporter of the same format keeps the form.
    public enum Payload: Sendable {
        /// Nothing stored (a tensor with no elements, or one whose content lies in unmodelled fields).
        case none
        /// Element bytes, little-endian and packed, as in ONNX's `raw_data`.
        case raw(ByteSource)
        /// Elements in a typed field of the format: little-endian words (`float_data`, `double_data`).
        case words(TypedField, ByteSource)
        /// Elements in a typed field of the format: one varint for each (`int32_data`, `int64_data`, `uint64_data`).
        case varints(TypedField, ByteSource)
        /// Strings as bytes.
        case strings([[UInt8]])
        /// Element bytes in a file beside the model.
        case external(ExternalData)
    }

    /// The typed fields of ONNX's `TensorProto`, by field number.
    public enum TypedField: Int, Sendable, Hashable {
        case float = 4
        case int32 = 5
        case int64 = 7
        case double = 10
        case uint64 = 11
    }

    public init(
        name: String?, elementTypeNumber: Int32, shape: [Int64], payload: Payload, docString: String? = nil,
        unmodelled: [UInt8] = []
    ) {
        self.name = name
        self.elementTypeNumber = elementTypeNumber
        self.shape = shape
        self.payload = payload
        self.docString = docString
        self.unmodelled = unmodelled
    }

    public var elementType: ElementType? { ElementType(rawValue: elementTypeNumber) }

    /// Number of elements; `nil` when an extent is negative or the product overflows.
    public var elementCount: Int? {
        var product = 1
        for extent in shape {
            guard extent >= 0, let extent = Int(exactly: extent) else { return nil }
            let (next, overflow) = product.multipliedReportingOverflow(by: extent)
            if overflow { return nil }
            product = next
        }
        return product
    }
}

/// Where a tensor's bytes lie outside the model file.
public struct ExternalData: Sendable {
    /// Path relative to the model's folder, as the model states it.
    public var location: String
    /// Byte offset in that file; `nil` when the model states none (0 is meant).
    public var offset: Int?
    /// Byte length; `nil` when the model states none (to the end of the file).
    public var length: Int?
    /// The other keys of the reference (`checksum`, `basepath`), and the order of all keys as read.
    public var entries: [MetadataEntry]
    public var bytes: ByteSource

    public init(location: String, offset: Int?, length: Int?, entries: [MetadataEntry], bytes: ByteSource) {
        self.location = location
        self.offset = offset
        self.length = length
        self.entries = entries
        self.bytes = bytes
    }
}
