internal import ConverterKit

/// An array of numbers as it lies in a file of numpy's: read by ranges of its first axis.
struct NumpyArray: Sendable {
    let type: ElementType
    let shape: [Int]
    /// Elements in C order.
    private let bytes: ByteSource

    /// Samples.
    var count: Int { shape.first ?? 0 }
    var isInteger: Bool { type.isInteger }

    /// The array in the bytes of a `.npy`. Throws `data.format`, and `data.type` for elements that are no little-endian
    /// numbers.
    init(_ source: ByteSource) throws(ConversionError) {
        let header = try NumpyHeader(source)
        guard let description = header.description, let type = Self.types[description] else {
            throw DataError.type("the array's elements are of the type \(header.description ?? "structure")")
        }
        var count = 1
        for extent in header.shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow, product <= 1 << 40 else { throw DataError.shape("the shape \(header.shape) is too large") }
            count = product
        }
        guard let size = type.byteCount(of: count), size == source.count - header.byteCount else {
            throw DataError.format(
                "the array has \(source.count - header.byteCount) bytes, which are not \(header.shape) of \(type)")
        }
        self.type = type
        shape = header.shape
        let elements = try source.part(header.byteCount, size)
        let stride = type.byteCount(of: 1) ?? 1
        bytes =
            header.isFortranOrder && shape.count > 1
            ? ByteSource(Self.rowMajor(try elements.bytes(), shape: shape, stride: stride)) : elements
    }

    private static let types: [String: ElementType] = {
        var types: [String: ElementType] = ["|b1": .bool, "?": .bool]
        let wide: [(String, ElementType)] = [
            ("f2", .float16), ("f4", .float32), ("f8", .float64), ("i1", .int8), ("i2", .int16), ("i4", .int32),
            ("i8", .int64), ("u1", .uint8), ("u2", .uint16), ("u4", .uint32), ("u8", .uint64),
        ]
        for (name, type) in wide {
            types["<" + name] = type
            if name.hasSuffix("1") { types["|" + name] = type }
        }
        return types
    }()

    /// Reverses the order of the axes in memory.
    private static func rowMajor(_ bytes: [UInt8], shape: [Int], stride: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: bytes.count)
        var strides = [Int](repeating: stride, count: shape.count)
        for axis in shape.indices.dropFirst() { strides[axis] = strides[axis - 1] * shape[axis - 1] }
        var index = [Int](repeating: 0, count: shape.count)
        var from = 0
        for to in Swift.stride(from: 0, to: bytes.count, by: stride) {
            for byte in 0..<stride { result[to + byte] = bytes[from + byte] }
            for axis in shape.indices.reversed() {
                index[axis] += 1
                from += strides[axis]
                if index[axis] < shape[axis] { break }
                from -= shape[axis] * strides[axis]
                index[axis] = 0
            }
        }
        return result
    }

    /// The samples of a range as a tensor of the array's type.
    func tensor(_ range: Range<Int>) throws(ConversionError) -> Tensor {
        let row = shape.dropFirst().reduce(1, *) * (type.byteCount(of: 1) ?? 1)
        return Tensor(
            name: nil, elementTypeNumber: type.rawValue, shape: ([range.count] + shape.dropFirst()).map { Int64($0) },
            payload: .raw(try bytes.part(range.lowerBound * row, range.count * row)))
    }

    /// All elements of an array of integers.
    func integers() throws(ConversionError) -> [Int64] {
        try Tensor(
            name: nil, elementTypeNumber: type.rawValue, shape: shape.map { Int64($0) }, payload: .raw(bytes)
        ).integers()
    }
}

extension ByteSource {
    /// A run of the bytes, which lies within them.
    func part(_ offset: Int, _ count: Int) throws(ConversionError) -> ByteSource {
        switch storage {
        case .memory(let bytes): ByteSource(Array(bytes[offset..<offset + count]))
        case .file(let file, let base): try ByteSource(file: file, offset: base + offset, count: count)
        }
    }
}

extension ElementType {
    /// True for the whole numbers, not for `bool`.
    var isInteger: Bool {
        switch self {
        case .int8, .uint8, .int16, .uint16, .int32, .uint32, .int64, .uint64, .int4, .uint4, .int2, .uint2: true
        default: false
        }
    }
}
