import ConverterKit
import Glibc

struct TextExporter: ModelExporter {
    static let format = textFormat

    func exportModel(
        _ model: Model, to directory: String, name: String, options: ExportOptions
    ) throws(ConversionError) -> ExportedModel {
        let lines = model.graph.nodes.map { node in
            ([node.outputs.first ?? "", "=", node.operation] + node.inputs).joined(separator: " ") + "\n"
        }
        let path = "\(directory)/\(name).\(Self.format.fileExtensions[0])"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        let bytes = Array(lines.joined().utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else { throw failure(path) }
        return ExportedModel(file: path, dataFiles: [])
    }

    private func failure(_ path: String) -> ConversionError {
        ConversionError(
            "output.cannot-write", .cannotCreateOutput, "cannot write \(path)", remedy: "Check the folder.",
            site: .init(file: path), cause: String(cString: strerror(errno)))
    }
}
