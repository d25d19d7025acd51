public import ConverterKit
internal import ONNXFormat

/// Writes ONNX files.
public struct ONNXExporter: ModelExporter {
    public static let format = FormatDescription(
        name: "onnx", fileExtensions: ["onnx"], summary: "Open Neural Network Exchange, in the source's own version")

    public init() {}

    public func exportModel(
        _ model: Model, to directory: String, name: String, options: ExportOptions
    ) throws(ConversionError) -> ExportedModel {
        try ModelWriter.write(model, to: directory, name: name, options: options)
    }

    public func checkCommand(for model: Model, file: String) -> CheckCommand? {
        CheckCommand(program: "rene-check-onnx", arguments: [file])
    }
}

/// The plugin's entry point.
@_cdecl("rene_plugin_create")
public func createPlugin() -> UnsafeMutableRawPointer {
    unsafe Plugin(exporters: [ONNXExporter.self]).handOver()
}
