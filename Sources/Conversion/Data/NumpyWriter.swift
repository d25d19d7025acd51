internal import CZip
internal import ConverterKit
internal import Execution
internal import Glibc

/// Arrays by name, to be written as a `.npz`.
struct NumpyWriter {
    private var arrays: [(name: String, npy: [UInt8])] = []

    /// Each array of version 1 begins its elements at a multiple of this.
    private static let alignment = 64
    /// The earliest time that a ZIP archive can state: the same arrays give the same bytes.
    private static let time = 315_619_200

    /// - Parameter elements: in C order.
    mutating func add(_ name: String, type: ElementType, shape: [Int], elements: [UInt8]) {
        let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
        let dictionary = "{'descr': '\(type.numpyDescription)', 'fortran_order': False, 'shape': (\(extents)), }"
        // Magic, version, length, line feed.
        let length = (10 + dictionary.utf8.count + 1 + Self.alignment - 1) / Self.alignment * Self.alignment - 10
        let padding = String(repeating: " ", count: length - 1 - dictionary.utf8.count)
        var npy = NumpyHeader.magic + [1, 0, UInt8(length & 0xff), UInt8(length >> 8)]
        npy.reserveCapacity(npy.count + length + elements.count)
        npy += Array((dictionary + padding + "\n").utf8)
        npy += elements
        arrays.append((name, npy))
    }

    /// Writes the archive beside its place and renames it. Throws `output.exists`, unless it may be replaced, and
    /// `output.cannot-write`.
    func write(to path: String, replacing: Bool) throws(ConversionError) {
        var code: Int32 = 0
        let flags = RENE_ZIP_CREATE | (replacing ? RENE_ZIP_TRUNCATE : RENE_ZIP_EXCLUSIVE)
        guard let archive = unsafe zip_open(path, Int32(flags), &code) else {
            throw OutputFailure.error(Int(code) == RENE_ZIP_ERROR_EXISTS ? EEXIST : errno, path: path)
        }
        for (name, npy) in arrays {
            guard unsafe Self.add(name + ".npy", npy, to: archive) else {
                let cause = unsafe zip_get_error(archive).pointee.sys_err
                unsafe zip_discard(archive)
                throw OutputFailure.error(cause, path: path)
            }
        }
        guard unsafe zip_close(archive) == 0 else {
            let cause = unsafe zip_get_error(archive).pointee.sys_err
            unsafe zip_discard(archive)
            throw OutputFailure.error(cause, path: path)
        }
    }

    /// libzip reads the bytes when the archive is closed, so it gets a copy that it frees.
    private static func add(_ name: String, _ bytes: [UInt8], to archive: OpaquePointer) -> Bool {
        guard let copy = unsafe malloc(bytes.count) else { return false }
        unsafe bytes.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(start: copy, count: $0.count).copyMemory(from: $0)
        }
        guard let source = unsafe zip_source_buffer(archive, copy, UInt(bytes.count), 1) else {
            unsafe free(copy)
            return false
        }
        let index = unsafe zip_file_add(archive, name, source, UInt32(RENE_ZIP_NAME_UTF_8))
        guard index >= 0 else {
            unsafe zip_source_free(source)
            return false
        }
        return unsafe zip_set_file_compression(archive, UInt(index), Int32(RENE_ZIP_STORE), 0) == 0
            && zip_file_set_mtime(archive, UInt(index), time, 0) == 0
    }
}

extension ElementType {
    /// The type in which an array of these elements is written: numpy's of the same name, else one that holds them all.
    var numpyType: ElementType {
        switch self {
        case .float16, .float32, .float64, .bool: self
        case .int2, .int4: .int8
        case .uint2, .uint4: .uint8
        default: storage == .float ? .float32 : self
        }
    }

    fileprivate var numpyDescription: String {
        let bytes = byteCount(of: 1) ?? 1
        let kind =
            switch self {
            case .bool: "|b"
            case .uint8, .uint16, .uint32, .uint64: bytes == 1 ? "|u" : "<u"
            case .int8, .int16, .int32, .int64: bytes == 1 ? "|i" : "<i"
            default: "<f"
            }
        return kind + String(bytes)
    }
}

extension TensorValue {
    /// The elements in the type that numpy has for them, packed.
    func numpyElements() throws -> [UInt8] {
        switch type.numpyType {
        case .float16: try Tensor.pack(floats(), as: .float16)
        case .float32: try Tensor.pack(floats(), as: .float32)
        case .float64: [UInt8](littleEndian: try doubles().map(\.bitPattern))
        case let other:
            try integers().flatMap { value in
                (0..<(other.byteCount(of: 1) ?? 1)).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
            }
        }
    }
}
