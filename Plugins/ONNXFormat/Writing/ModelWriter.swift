public import ConverterKit

/// Writes `Model`s as ONNX files.
public enum ModelWriter {
    /// Tensors shorter than this stay in the model file even where it is too large.
    static let smallestMoved = 1024

    /// Writes `model` as `name.onnx` into the existing folder `directory`, and its external data beside it under the
    /// names the model gives; creates files and never replaces one. Payloads are copied from where they lie, in blocks,
    /// so memory follows the graph and not the weights. When the file would be longer than `options.largestFile`,
    /// tensors go to `name.onnx.data`. Errors: `output.*`, `external-data.*`; `input.*` when a source cannot be read.
    /// What was created is removed when it throws.
    public static func write(
        _ model: Model, to directory: String, name: String, options: ExportOptions = ExportOptions()
    ) throws(ConversionError) -> ExportedModel {
        guard !name.isEmpty, !name.contains("/"), !name.utf8.contains(0), name.utf8.count <= 250 else {
            throw ConversionError(
                "output.name", .usage, "\(name.debugDescription) is no name for a model file",
                remedy: "Give a name without folders, of at most 250 bytes.")
        }
        let file = name + ".onnx"
        var (layout, rope) = try encode(model)
        if rope.count > options.largestFile {
            var moved = model
            try moveInlineTensors(of: &moved, to: file + ".data")
            (layout, rope) = try encode(moved)
        }
        guard rope.count <= options.largestFile else {
            throw ConversionError(
                "output.too-large", .cannotCreateOutput,
                "the model takes \(rope.count) bytes without its weights; the limit is \(options.largestFile)",
                remedy: "Export the source model in parts.")
        }
        for data in layout.files {
            try ExternalLocation.check(data.location)
            guard data.location.split(separator: "/").filter({ $0 != "." }) != [Substring(file)] else {
                throw ConversionError(
                    "output.data-file-is-model", .cannotCreateOutput,
                    "the model's data file has the name of the model to be written, \(file)",
                    remedy: "Choose another name for the output.")
            }
        }
        return try write(rope, layout, to: OutputFolder(path: directory), file: file)
    }

    private static func write(
        _ rope: Rope, _ layout: ExternalLayout, to folder: OutputFolder, file: String
    ) throws(ConversionError) -> ExportedModel {
        do throws(ConversionError) {
            for data in layout.files {
                try folder.create(data.location) { output throws(ConversionError) in
                    for chunk in data.chunks {
                        try output.skip(to: chunk.offset)
                        try output.write(chunk.source)
                    }
                }
            }
            try folder.create(file) { output throws(ConversionError) in
                for piece in rope.pieces {
                    switch piece {
                    case .bytes(let bytes): try output.write(bytes)
                    case .source(let source): try output.write(source)
                    }
                }
            }
            try folder.synchronize()
        } catch {
            folder.removeCreated()
            throw error
        }
        return ExportedModel(file: folder.path(of: file), dataFiles: layout.files.map { folder.path(of: $0.location) })
    }

    private static func encode(_ model: Model) throws(ConversionError) -> (ExternalLayout, Rope) {
        var placed = model
        let layout = try ExternalLayout(model)
        try layout.apply(to: &placed)
        return (layout, try ModelEncoder.model(placed))
    }

    /// Makes the tensors that lie in the model file external ones, to be placed in `location`.
    private static func moveInlineTensors(of model: inout Model, to location: String) throws(ConversionError) {
        try TensorWalk.update(&model) { tensor throws(ConversionError) in
            let source: ByteSource
            switch tensor.payload {
            case .raw(let bytes), .words(_, let bytes): source = bytes
            case .varints: source = ByteSource(try tensor.packedBytes())
            default: return false
            }
            guard source.count >= smallestMoved else { return false }
            tensor.payload = .external(
                ExternalData(location: location, offset: nil, length: nil, entries: [], bytes: source))
            return true
        }
    }
}
