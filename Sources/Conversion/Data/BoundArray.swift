internal import ConverterKit
internal import Execution

/// An array of a data file as a certain input of a model.
struct BoundArray: Sendable {
    private let array: NumpyArray
    private let input: ModelSignature.Input
    private let normalization: Normalization?
    /// The channels are moved from behind the samples to the end.
    private let movesChannels: Bool

    var count: Int { array.count }

    /// Throws `data.shape` when the array does not fit the input, `data.type` when its numbers do not.
    init(_ array: NumpyArray, as input: ModelSignature.Input, normalization: Normalization?) throws(ConversionError) {
        (self.array, self.input) = (array, input)
        self.normalization = array.isInteger && input.type.isFloating ? normalization : nil
        if array.type.isFloating, !input.type.isFloating {
            throw DataError.type("the input \(input.name) takes \(input.type), and the array holds \(array.type)")
        }
        func fits(_ shape: [Int]) -> Bool {
            guard let wanted = input.shape else { return true }
            return wanted.count == shape.count
                && zip(wanted, shape).dropFirst().allSatisfy { wanted, extent in wanted.map { $0 == extent } ?? true }
        }
        guard !array.shape.isEmpty else { throw DataError.shape("the array for \(input.name) is a single number") }
        let isImage = array.shape.count == 4 && normalization?.hasChannelsLast ?? false
        movesChannels = isImage && [1, 3, 4].contains(array.shape[1]) && fits(Self.channelsLast(array.shape))
        guard movesChannels || fits(array.shape) else {
            let wanted = (input.shape ?? []).map { $0.map(String.init) ?? "?" }.joined(separator: " x ")
            throw DataError.shape("the array for \(input.name) has the shape \(array.shape), the input is \(wanted)")
        }
    }

    /// Images of bytes `[count, channels, height, width]` as they are stored, with what makes them the input's numbers:
    /// `byte · scale[c] + shift[c]`. `nil` for other arrays.
    func byteImages(_ count: Int) throws -> (bytes: [UInt8], shape: [Int], scale: [Float], shift: [Float])? {
        guard array.type == .uint8, array.shape.count == 4, input.type == .float32, !movesChannels,
            let normalization, !normalization.hasChannelsLast
        else { return nil }
        let channels = array.shape[1]
        func spread(_ numbers: [Float]) -> [Float]? {
            numbers.count == 1
                ? [Float](repeating: numbers[0], count: channels)
                : numbers.count == channels ? numbers : nil
        }
        guard let mean = spread(normalization.mean), let std = spread(normalization.std) else { return nil }
        return (
            try array.tensor(0..<count).packedBytes(), Array(array.shape.dropFirst()),
            std.map { normalization.scale / $0 }, zip(mean, std).map { -$0 / $1 }
        )
    }

    private static func channelsLast(_ shape: [Int]) -> [Int] { [shape[0], shape[2], shape[3], shape[1]] }

    /// The samples of a range; behind its end the last one is repeated up to `size`.
    func value(_ range: Range<Int>, size: Int) throws -> TensorValue {
        let tensor = try array.tensor(range)
        var shape = tensor.shape.map { Int($0) }
        var value: TensorValue
        if !input.type.isFloating {
            value = try TensorValue(
                Tensor(
                    name: input.name, elementTypeNumber: input.type.rawValue, shape: tensor.shape,
                    payload: .raw(ByteSource(try integers(tensor)))))
        } else if input.type == .float64, normalization == nil {
            let bytes =
                array.isInteger || array.type == .bool
                ? [UInt8](littleEndian: try tensor.integers().map { Double($0).bitPattern })
                : [UInt8](littleEndian: try tensor.doubles().map(\.bitPattern))
            value = try TensorValue(
                Tensor(
                    name: input.name, elementTypeNumber: input.type.rawValue, shape: tensor.shape,
                    payload: .raw(ByteSource(bytes))))
        } else {
            var floats = try TensorValue(tensor).floats()
            let channelAxis = normalization?.hasChannelsLast ?? false && !movesChannels ? shape.count - 1 : 1
            try normalization?.apply(to: &floats, shape: shape, channelAxis: channelAxis)
            if movesChannels {
                floats = Self.movingChannels(floats, shape: shape)
                shape = Self.channelsLast(shape)
            }
            value = try Self.packed(floats, shape: shape, as: input.type)
        }
        return size > range.count ? try value.repeatingLast(upTo: size) : value
    }

    private static func packed(_ values: [Float], shape: [Int], as type: ElementType) throws -> TensorValue {
        if type == .float32 { return try TensorValue(values, shape: shape) }
        guard type.isFactorizable else { throw DataError.type("no data are converted to \(type)") }
        return try TensorValue(
            Tensor(
                name: nil, elementTypeNumber: type.rawValue, shape: shape.map { Int64($0) },
                payload: .raw(ByteSource(Tensor.pack(values, as: type)))))
    }

    private static func movingChannels(_ values: [Float], shape: [Int]) -> [Float] {
        let (channels, plane) = (shape[1], shape[2] * shape[3])
        var result = [Float](repeating: 0, count: values.count)
        for image in 0..<shape[0] {
            let start = image * channels * plane
            for channel in 0..<channels {
                for place in 0..<plane {
                    result[start + place * channels + channel] = values[start + channel * plane + place]
                }
            }
        }
        return result
    }

    /// The elements as the input's whole numbers, packed. Throws `data.type` for one that does not fit.
    private func integers(_ tensor: Tensor) throws(ConversionError) -> [UInt8] {
        let values = try tensor.integers()
        func pack<Word: FixedWidthInteger>(_: Word.Type) throws(ConversionError) -> [UInt8] {
            var words: [Word] = []
            words.reserveCapacity(values.count)
            for value in values {
                guard let word = Word(exactly: value) else {
                    throw DataError.type("the number \(value) is no \(input.type), which \(input.name) takes")
                }
                words.append(word)
            }
            return [UInt8](littleEndian: words)
        }
        switch input.type {
        case .bool: return values.map { $0 == 0 ? 0 : 1 }
        case .int8: return try pack(Int8.self)
        case .uint8: return try pack(UInt8.self)
        case .int16: return try pack(Int16.self)
        case .uint16: return try pack(UInt16.self)
        case .int32: return try pack(Int32.self)
        case .uint32: return try pack(UInt32.self)
        case .int64: return try pack(Int64.self)
        case .uint64: return try pack(UInt64.self)
        default: throw DataError.type("no data are converted to \(input.type)")
        }
    }
}

extension [UInt8] {
    init(littleEndian words: [some FixedWidthInteger]) {
        self = words.flatMap { word in
            (0..<word.bitWidth / 8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
        }
    }
}

extension TensorValue {
    /// The value with its last sample repeated.
    func repeatingLast(upTo size: Int) throws -> TensorValue {
        guard let count = shape.first, count > 0, count < size else { return self }
        let row = self.count / count
        func extended<T>(_ values: [T]) -> [T] {
            values + (count..<size).flatMap { _ in values[(count - 1) * row..<count * row] }
        }
        let shape = [size] + shape.dropFirst()
        if type == .float32 || type == .float16 || type == .bfloat16 {
            return try TensorValue(extended(floats()), shape: shape, type: type)
        }
        if type == .int64 { return try TensorValue(extended(integers()).map { Int64($0) }, shape: shape) }
        let bytes =
            type == .float64
            ? [UInt8](littleEndian: try extended(doubles()).map(\.bitPattern))
            : try extended(integers()).flatMap { value in
                (0..<(type.bitWidth ?? 8) / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
            }
        return try TensorValue(
            Tensor(
                name: nil, elementTypeNumber: type.rawValue, shape: shape.map { Int64($0) },
                payload: .raw(ByteSource(bytes))))
    }
}
