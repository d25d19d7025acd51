public import ConverterKit

extension TensorValue {
    /// A constant of a model, as it is executed. Throws `tensor.*` when the payload does not fit, `execution.type` for the
    /// complex types.
    public init(_ tensor: Tensor) throws {
        guard let type = tensor.elementType, let storage = type.storage else {
            throw ExecutionError.type("element type \(tensor.elementTypeNumber) is not executed")
        }
        let shape = tensor.shape.map { Int($0) }
        switch storage {
        case .string:
            guard case .strings(let strings) = tensor.payload else {
                try self.init(strings: [], shape: shape)
                return
            }
            try self.init(strings: strings.map { String(decoding: $0, as: UTF8.self) }, shape: shape)
        case .float:
            switch type {
            case .float32, .float16, .bfloat16: try self.init(elements: tensor.floats(), shape: shape, type: type)
            default: try self.init(elements: tensor.doubles().map { Float($0) }, shape: shape, type: type)
            }
        case .double: try self.init(elements: tensor.doubles(), shape: shape, type: type)
        case .int64: try self.init(elements: tensor.integers(), shape: shape, type: type)
        case .uint64:
            try self.init(
                elements: tensor.integers().map { UInt64(bitPattern: $0) }, shape: shape, type: type)
        case .int8:
            try self.init(elements: tensor.integers().map { Int8(truncatingIfNeeded: $0) }, shape: shape, type: type)
        case .uint8:
            try self.init(elements: tensor.integers().map { UInt8(truncatingIfNeeded: $0) }, shape: shape, type: type)
        case .int16:
            try self.init(elements: tensor.integers().map { Int16(truncatingIfNeeded: $0) }, shape: shape, type: type)
        case .uint16:
            try self.init(elements: tensor.integers().map { UInt16(truncatingIfNeeded: $0) }, shape: shape, type: type)
        case .int32:
            try self.init(elements: tensor.integers().map { Int32(truncatingIfNeeded: $0) }, shape: shape, type: type)
        case .uint32:
            try self.init(elements: tensor.integers().map { UInt32(truncatingIfNeeded: $0) }, shape: shape, type: type)
        }
    }
}
