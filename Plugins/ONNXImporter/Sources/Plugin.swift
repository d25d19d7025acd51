public import ConverterKit
internal import ONNXFormat

/// Reads ONNX files.
public struct ONNXImporter: ModelImporter {
    public static let format = FormatDescription(
        name: "onnx", fileExtensions: ["onnx"], summary: "Open Neural Network Exchange, any IR version")

    public init() {}

    public func importModel(at path: String, limits: ImportLimits) throws(ConversionError) -> Model {
        try ModelReader.read(path: path, limits: limits)
    }

    public func dataFiles(ofModelAt path: String, limits: ImportLimits) throws(ConversionError) -> [String] {
        try ModelReader.dataFiles(path: path, limits: limits)
    }
}

/// The plugin's entry point.
@_cdecl("rene_plugin_create")
public func createPlugin() -> UnsafeMutableRawPointer {
    unsafe Plugin(importers: [ONNXImporter.self]).handOver()
}
