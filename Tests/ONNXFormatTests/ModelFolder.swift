internal import ConverterKit
internal import FoundationEssentials
internal import ONNXFormat
internal import Testing

/// A folder for one test; removed with it.
final class ModelFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/rene-onnx-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ bytes: [UInt8], to name: String = "model.onnx") throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(filePath: file))
        return file
    }

    func makeFolder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
        return path + "/" + name
    }

    func bytes(of name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path + "/" + name))) }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }

    /// Writes the bytes as a model and reads them.
    func read(_ bytes: [UInt8], limits: ImportLimits = ImportLimits()) throws -> Model {
        try ModelReader.read(path: write(bytes), limits: limits)
    }

    /// The code that reading the bytes as a model fails with; `nil` when it does not.
    func code(_ bytes: [UInt8], limits: ImportLimits = ImportLimits()) throws -> String? {
        do {
            _ = try read(bytes, limits: limits)
            return nil
        } catch let error as ConversionError {
            #expect([.badInput, .missingInput].contains(error.kind), "\(error)")
            #expect(!error.remedy.isEmpty && error.site.file != nil, "\(error)")
            return error.code.name
        }
    }

    /// The bytes that come out when the bytes go in.
    func roundTrip(_ bytes: [UInt8]) throws -> [UInt8] {
        let folder = try makeFolder("out-\(UUID().uuidString)")
        let written = try ModelWriter.write(read(bytes), to: folder, name: "model")
        return [UInt8](try Data(contentsOf: URL(filePath: written.file)))
    }
}

/// A case of a table: a name for the report, a file, and the code it is refused with (`nil`: it is read).
struct FileCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var bytes: [UInt8]
    var code: String?

    init(_ name: String, _ bytes: [UInt8], _ code: String?) {
        (testDescription, self.bytes, self.code) = (name, bytes, code)
    }
}
