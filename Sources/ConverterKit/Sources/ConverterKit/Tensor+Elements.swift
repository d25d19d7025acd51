extension Tensor {
    /// The elements as single precision, row-major; for the real types. Throws `tensor.*` when the payload does not fit
    /// the shape or the type is not a real one.
    public func floats() throws(ConversionError) -> [Float] {
        let type = try knownType()
        let bytes = try packedBytes()
        switch type {
        case .float32: return bytes.words(of: UInt32.self).map { Float(bitPattern: $0) }
        case .float64: return bytes.words(of: UInt64.self).map { Float(Double(bitPattern: $0)) }
        case .float16: return bytes.words(of: UInt16.self).map { Float(Float16(bitPattern: $0)) }
        case .bfloat16: return bytes.words(of: UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
        default: return try doubles().map { Float($0) }
        }
    }

    /// The elements as double precision, row-major; for every numeric type but the complex ones.
    public func doubles() throws(ConversionError) -> [Double] {
        let type = try knownType()
        switch type {
        case .float64: return try packedBytes().words(of: UInt64.self).map { Double(bitPattern: $0) }
        case .float32: return try packedBytes().words(of: UInt32.self).map { Double(Float(bitPattern: $0)) }
        case .float16, .bfloat16: return try floats().map { Double($0) }
        case .float8E4M3FN, .float8E4M3FNUZ, .float8E5M2, .float8E5M2FNUZ, .float8E8M0:
            return try packedBytes().map { SmallFloat.decode($0, as: type) }
        case .float4E2M1:
            return try subByteElements(bits: 4).map { SmallFloat.decode($0, as: type) }
        case .complex64, .complex128, .string: throw unsuitable(type, wanted: "real numbers")
        default: return try integers().map { Double($0) }
        }
    }

    /// The elements as 64-bit integers, row-major; for the integer types and `bool`. An unsigned 64-bit element keeps
    /// its bit pattern.
    public func integers() throws(ConversionError) -> [Int64] {
        let type = try knownType()
        let bytes = try packedBytes()
        switch type {
        case .int64: return bytes.words(of: UInt64.self).map { Int64(bitPattern: $0) }
        case .uint64: return bytes.words(of: UInt64.self).map { Int64(bitPattern: $0) }
        case .int32: return bytes.words(of: UInt32.self).map { Int64(Int32(bitPattern: $0)) }
        case .uint32: return bytes.words(of: UInt32.self).map { Int64($0) }
        case .int16: return bytes.words(of: UInt16.self).map { Int64(Int16(bitPattern: $0)) }
        case .uint16: return bytes.words(of: UInt16.self).map { Int64($0) }
        case .int8: return bytes.map { Int64(Int8(bitPattern: $0)) }
        case .uint8, .bool: return bytes.map { Int64($0) }
        case .uint4: return try subByteElements(bits: 4).map { Int64($0) }
        case .int4: return try subByteElements(bits: 4).map { Int64(Int8(bitPattern: $0 << 4) >> 4) }
        case .uint2: return try subByteElements(bits: 2).map { Int64($0) }
        case .int2: return try subByteElements(bits: 2).map { Int64(Int8(bitPattern: $0 << 6) >> 6) }
        default: throw unsuitable(type, wanted: "integers")
        }
    }

    /// The elements in packed little-endian form, whatever field they are stored in; checked against the shape.
    public func packedBytes() throws(ConversionError) -> [UInt8] {
        let type = try knownType()
        guard let count = elementCount, let wanted = type.byteCount(of: count) else {
            throw ConversionError(
                "tensor.shape", .badInput, "the shape \(shape) of the tensor has no element count",
                remedy: "Export the model again.", site: .init(tensor: name))
        }
        let bytes: [UInt8]
        switch payload {
        case .none: bytes = []
        case .raw(let source), .words(_, let source): bytes = try source.bytes()
        case .external(let external): bytes = try external.bytes.bytes()
        case .varints(_, let source): bytes = try Self.pack(varints: source.bytes(), as: type, name: name)
        case .strings: throw unsuitable(type, wanted: "numbers")
        }
        guard bytes.count == wanted else {
            throw ConversionError(
                "tensor.payload-size", .badInput,
                "the tensor holds \(bytes.count) bytes where its shape \(shape) asks for \(wanted)",
                remedy: "Export the model again.", site: .init(tensor: name))
        }
        return bytes
    }

    /// Rounds `values` to `type` (one of the factorizable types) and packs them. Throws `tensor.overflow` when a finite
    /// value is not finite in that type.
    public static func pack(_ values: [Float], as type: ElementType) throws(ConversionError) -> [UInt8] {
        var finite = true
        let bytes: [UInt8]
        switch type {
        case .float32: bytes = .init(words: values.lazy.map(\.bitPattern))
        case .float64: bytes = .init(words: values.lazy.map { Double($0).bitPattern })
        case .float16:
            let halves = values.map { Float16($0) }
            finite = halves.allSatisfy(\.isFinite) || !values.allSatisfy(\.isFinite)
            bytes = .init(words: halves.lazy.map(\.bitPattern))
        case .bfloat16:
            let halves = values.map { SmallFloat.bfloat16(rounding: $0) }
            finite =
                halves.allSatisfy { Float(bitPattern: UInt32($0) << 16).isFinite } || !values.allSatisfy(\.isFinite)
            bytes = .init(words: halves)
        default:
            throw ConversionError(
                "tensor.type", .internal, "\(type) is no type that weights are written in", remedy: "Report this.")
        }
        guard finite else {
            throw ConversionError(
                "tensor.overflow", .badInput, "a value does not fit \(type)",
                remedy: "Keep this layer with --exclude, or export the model in float32.")
        }
        return bytes
    }

    private func knownType() throws(ConversionError) -> ElementType {
        guard let elementType else {
            throw ConversionError(
                "tensor.type", .badInput, "element type \(elementTypeNumber) is not known",
                remedy: "Update the program, or exclude the layer.", site: .init(tensor: name))
        }
        return elementType
    }

    private func unsuitable(_ type: ElementType, wanted: String) -> ConversionError {
        ConversionError(
            "tensor.type", .badInput, "a tensor of \(type) holds no \(wanted)", remedy: "Exclude the layer.",
            site: .init(tensor: name))
    }

    private func subByteElements(bits: Int) throws(ConversionError) -> [UInt8] {
        let count = elementCount ?? 0
        let mask = UInt8((1 << bits) - 1)
        let perByte = 8 / bits
        let bytes = try packedBytes()
        return (0..<count).map { bytes[$0 / perByte] >> UInt8(($0 % perByte) * bits) & mask }
    }

    /// Typed fields of integers: each varint holds one element, or, for types under eight bits, one packed byte.
    private static func pack(varints: [UInt8], as type: ElementType, name: String?) throws(ConversionError) -> [UInt8] {
        let wordBytes = max(1, (type.bitWidth ?? 64) / 8)
        var packed: [UInt8] = []
        packed.reserveCapacity(varints.count * wordBytes)
        var value: UInt64 = 0
        var shift: UInt64 = 0
        for byte in varints {
            guard shift < 70 else { break }
            value |= shift < 64 ? UInt64(byte & 0x7f) << shift : 0
            shift += 7
            if byte & 0x80 == 0 {
                for index in 0..<wordBytes { packed.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
                value = 0
                shift = 0
            }
        }
        guard shift == 0 else {
            throw ConversionError(
                "tensor.payload-size", .badInput, "the last element of the tensor is cut short",
                remedy: "Export the model again.", site: .init(tensor: name))
        }
        return packed
    }
}

extension [UInt8] {
    /// The bytes as little-endian words; a rest shorter than a word is left out.
    func words<Word: FixedWidthInteger>(of type: Word.Type) -> [Word] {
        let size = MemoryLayout<Word>.size
        return unsafe withUnsafeBytes { bytes in
            unsafe [Word](unsafeUninitializedCapacity: bytes.count / size) { words, initialized in
                initialized = bytes.count / size
                unsafe UnsafeMutableRawBufferPointer(words)
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<(initialized * size)]))
                if Word(littleEndian: 1) != 1 {
                    for index in words.indices { unsafe words[index] = Word(littleEndian: words[index]) }
                }
            }
        }
    }

    init<Words: Collection>(words: Words) where Words.Element: FixedWidthInteger {
        let size = MemoryLayout<Words.Element>.size
        unsafe self.init(unsafeUninitializedCapacity: words.count * size) { bytes, initialized in
            var offset = 0
            for word in words {
                unsafe UnsafeMutableRawBufferPointer(bytes).storeBytes(
                    of: word.littleEndian, toByteOffset: offset, as: Words.Element.self)
                offset += size
            }
            initialized = offset
        }
    }
}
