internal import ConverterKit
internal import Execution
internal import Glibc

/// A folder `test_data_set_N` with a file for each input, or a folder of such folders.
struct DataSetFolder {
    private let path: String

    private static let mostSets = 4096

    init(_ path: String) { self.path = path }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The inputs of each set. Throws `data.unsupported` when the importer of the model's format reads no such folders.
    func read(for model: Model, importer: (any ModelImporter)?) throws -> [[String: RuntimeValue]] {
        guard let reader = importer as? any DataImporter else {
            throw ConversionError(
                "data.unsupported", .badInput, "the importer of this model's format reads no folders of data",
                remedy: "Give a .npz or .npy file.", site: .init(file: path))
        }
        let sets = Self.entries(path).filter { $0.hasPrefix("test_data_set_") && Self.isFolder("\(path)/\($0)") }
        guard sets.count <= Self.mostSets else { throw DataError.format("\(path) holds \(sets.count) sets") }
        let folders = sets.isEmpty ? [path] : sets.map { "\(path)/\($0)" }
        return try folders.map { folder in
            try reader.inputs(inFolder: folder, of: model, limits: ImportLimits()).mapValues {
                .tensor(try TensorValue($0))
            }
        }
    }

    /// Files of the sets, relative to the folder.
    var files: [String] {
        Self.entries(path).flatMap { name -> [String] in
            if name.hasSuffix(".pb") { return [name] }
            guard name.hasPrefix("test_data_set_") else { return [] }
            return Self.entries("\(path)/\(name)").filter { $0.hasSuffix(".pb") }.map { "\(name)/\($0)" }
        }
    }

    private static func entries(_ path: String) -> [String] {
        guard let stream = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            names.append(
                unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        // By number where there are ten or more.
        return names.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
    }
}
