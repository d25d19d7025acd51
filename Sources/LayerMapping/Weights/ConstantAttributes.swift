internal import ConverterKit

extension Node {
    /// The content of a Constant node as a tensor, from whichever attribute holds it; `nil` for strings, sparse tensors
    /// and references.
    var constantTensor: Tensor? {
        guard isStandard, operation == "Constant" else { return nil }
        for attribute in attributes {
            switch (attribute.name, attribute.value) {
            case ("value", .tensor(let tensor)): return tensor
            case ("value_float", .float(let value)): return Self.tensor(of: [value], shape: [])
            case ("value_floats", .floats(let values)): return Self.tensor(of: values, shape: [Int64(values.count)])
            case ("value_int", .int(let value)): return Self.tensor(of: [value], shape: [])
            case ("value_ints", .ints(let values)): return Self.tensor(of: values, shape: [Int64(values.count)])
            default: continue
            }
        }
        return nil
    }

    private static func tensor(of values: [Float], shape: [Int64]) -> Tensor? {
        guard let bytes = try? Tensor.pack(values, as: .float32) else { return nil }
        return Tensor(
            name: nil, elementTypeNumber: ElementType.float32.rawValue, shape: shape, payload: .raw(ByteSource(bytes)))
    }

    private static func tensor(of values: [Int64], shape: [Int64]) -> Tensor {
        var bytes: [UInt8] = []
        for value in values {
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> Int64(8 * shift))) }
        }
        return Tensor(
            name: nil, elementTypeNumber: ElementType.int64.rawValue, shape: shape, payload: .raw(ByteSource(bytes)))
    }
}

extension Attribute.Value {
    var int: Int? { if case .int(let value) = self { Int(exactly: value) } else { nil } }
    var ints: [Int]? { if case .ints(let values) = self { values.map { Int(clamping: $0) } } else { nil } }
    var float: Float? { if case .float(let value) = self { value } else { nil } }
    var floats: [Float]? { if case .floats(let values) = self { values } else { nil } }
    var text: String? { if case .string(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil } }
    var isReference: Bool { if case .reference = self { true } else { false } }
}

extension ScopeTree {
    /// The integers of a constant value that is small enough to be a shape, a list of axes or of bounds.
    func integers(of name: String, in scope: Int) -> [Int64]? {
        guard let value = resolve(name, in: scope), let definition = definition(of: value) else { return nil }
        switch definition {
        case .input: return nil
        case .initializer(let index): return Self.smallIntegers(scopes[value.scope].initializers[index])
        case .output(let index, _):
            let node = scopes[value.scope].nodes[index]
            if let tensor = node.constantTensor { return Self.smallIntegers(tensor) }
            if node.isStandard, node.operation == "Identity", let source = node.inputs.first, source != name {
                return integers(of: source, in: value.scope)
            }
            return nil
        }
    }

    private static func smallIntegers(_ tensor: Tensor) -> [Int64]? {
        guard let count = tensor.elementCount, count <= 1024 else { return nil }
        return try? tensor.integers()
    }
}
