public import ConverterKit

/// A tensor in memory: what goes into a graph and what comes out. Row-major.
public struct TensorValue: Sendable {
    public let type: ElementType
    /// Extents, outermost first; empty for a scalar.
    public let shape: [Int]
    let buffer: Buffer
    /// The elements of a tensor of strings; empty otherwise.
    public let strings: [String]

    /// Zeros. Throws `execution.type` for the complex types and `execution.shape` for extents without an element count.
    public init(type: ElementType, shape: [Int]) throws {
        try self.init(type: type, shape: shape, buffer: Buffer(byteCount: Self.byteCount(type, shape)))
    }

    public init(_ values: [Float], shape: [Int], type: ElementType = .float32) throws {
        try self.init(elements: values, shape: shape, type: type)
    }

    public init(_ values: [Int64], shape: [Int]) throws {
        try self.init(elements: values, shape: shape, type: .int64)
    }

    public init(strings: [String], shape: [Int]) throws {
        guard try shape.elementCount() == strings.count else { throw Self.misfit(shape, strings.count) }
        (type, self.shape, self.strings, buffer) = (.string, shape, strings, Buffer(byteCount: 0))
    }

    /// Elements in the type's storage; the small floating types are expected to be rounded already.
    init<T: Element>(elements: [T], shape: [Int], type: ElementType) throws {
        guard type.storage == T.storage else {
            throw ExecutionError.type("elements of \(T.self) are none of \(type)")
        }
        guard try shape.elementCount() == elements.count else { throw Self.misfit(shape, elements.count) }
        try self.init(type: type, shape: shape)
        unsafe elements.withUnsafeBytes { bytes in
            if let from = bytes.baseAddress { unsafe buffer.base.copyMemory(from: from, byteCount: bytes.count) }
        }
    }

    init(type: ElementType, shape: [Int], buffer: Buffer) throws {
        guard try buffer.byteCount >= Self.byteCount(type, shape) else {
            throw Self.misfit(shape, buffer.byteCount)
        }
        (self.type, self.shape, self.buffer) = (type, shape, buffer)
        strings = type == .string ? [String](repeating: "", count: try shape.elementCount()) : []
    }

    /// Bytes of a tensor's storage.
    static func byteCount(_ type: ElementType, _ shape: [Int]) throws -> Int {
        guard let storage = type.storage else { throw ExecutionError.type("\(type) is not executed") }
        return try shape.elementCount() * storage.stride
    }

    public var count: Int { shape.reduce(1, *) }
    public var fact: TensorFact { TensorFact(type: type, shape: shape) }

    /// The same elements in another shape of as many.
    public func reshaped(_ shape: [Int]) throws -> TensorValue {
        guard try shape.elementCount() == count else { throw Self.misfit(shape, count) }
        if type == .string { return try TensorValue(strings: strings, shape: shape) }
        return try TensorValue(type: type, shape: shape, buffer: buffer)
    }

    /// The elements in the type's storage. Throws `execution.type` when `T` is not it.
    func elements<T: Element>(_: T.Type = T.self) throws -> [T] {
        guard type.storage == T.storage else { throw ExecutionError.type("\(type) holds no elements of \(T.self)") }
        return unsafe Array(UnsafeBufferPointer(start: buffer.base.assumingMemoryBound(to: T.self), count: count))
    }

    /// The elements as single precision; for every numeric type.
    public func floats() throws -> [Float] {
        if type.storage == .float { return try elements(Float.self) }
        return try doubles().map { Float($0) }
    }

    /// The elements as double precision; for every numeric type.
    public func doubles() throws -> [Double] {
        guard let element = type.storage?.element else { throw ExecutionError.type("\(type) holds no numbers") }
        return try asDoubles(element)
    }

    private func asDoubles<T: Element>(_: T.Type) throws -> [Double] { try elements(T.self).map(\.asDouble) }

    /// The elements as integers; for the integer types and `bool`.
    public func integers() throws -> [Int] {
        switch type.storage {
        case .int64: try elements(Int64.self).map { Int($0) }
        case .uint64: try elements(UInt64.self).map { Int(truncatingIfNeeded: $0) }
        case .string, .float, .double, nil: throw ExecutionError.type("\(type) holds no integers")
        default: try doubles().map { Int($0) }
        }
    }

    private static func misfit(_ shape: [Int], _ count: Int) -> ConversionError {
        ExecutionError.shape("\(count) elements do not fill the shape \(shape)")
    }
}

/// Type and extents of a value.
public struct TensorFact: Sendable, Hashable {
    public var type: ElementType
    public var shape: [Int]

    public init(type: ElementType, shape: [Int]) {
        self.type = type
        self.shape = shape
    }

    public var count: Int { shape.reduce(1, *) }
    var byteCount: Int { count * (type.storage?.stride ?? 0) }
}

extension [Int] {
    /// The number of elements of these extents. Throws `execution.shape` when one is negative or there are too many.
    func elementCount() throws -> Int {
        var product = 1
        for extent in self {
            let (next, overflow) = product.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow, next <= 1 << 40 else {
                throw ExecutionError.shape("the extents \(self) have no element count")
            }
            product = next
        }
        return product
    }

    /// Elements from one index of each axis to the next, in a row-major tensor of these extents.
    var rowMajorStrides: [Int] {
        var strides = [Int](repeating: 1, count: count)
        for axis in indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * self[axis + 1] }
        return strides
    }
}
