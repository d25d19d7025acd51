internal import ConverterKit

/// The arrays of a `.npz`, by name, or the one of a `.npy`.
struct NumpyFile: Sendable {
    let path: String
    private let arrays: [String: ByteSource]
    /// True for a `.npy`, whose array has no name.
    let isSingle: Bool

    var names: [String] { arrays.keys.sorted() }

    /// Throws `data.missing`, `data.format`, `input.*`.
    init(path: String) throws(ConversionError) {
        self.path = path
        let file: OpenFile
        do throws(ConversionError) {
            file = try OpenFile(path: path)
        } catch {
            throw error.code == "input.missing" ? DataError.missing("there is no \(path)") : error
        }
        let start = try ByteSource(file: file, offset: 0, count: min(4, file.size)).bytes()
        if start.starts(with: [0x93]) {
            isSingle = true
            arrays = ["": try ByteSource(file: file, offset: 0, count: file.size)]
            return
        }
        guard start.starts(with: Array("PK".utf8)) else {
            throw DataError.format("\(path) is neither .npz nor .npy").at(.init(file: path))
        }
        isSingle = false
        let archive = try ZipArchive(file)
        var arrays: [String: ByteSource] = [:]
        for entry in archive.entries where entry.name.hasSuffix(".npy") {
            arrays[String(entry.name.dropLast(4))] = ByteSource(try archive.bytes(of: entry))
        }
        self.arrays = arrays
    }

    /// `nil` when there is none of that name. Arrays that nobody asks for may be of any kind.
    func array(_ name: String) throws(ConversionError) -> NumpyArray? {
        guard let bytes = arrays[name] else { return nil }
        do throws(ConversionError) {
            return try NumpyArray(bytes)
        } catch {
            throw error.at(.init(file: path, tensor: name.isEmpty ? nil : name))
        }
    }
}
