import ConverterKit

/// Loads well and fails at its work.
struct ThrowingConverter: ModelImporter, ModelExporter {
    static let format = FormatDescription(name: "throwing", fileExtensions: ["throwing"], summary: "always fails")

    func importModel(at path: String, limits: ImportLimits) throws(ConversionError) -> Model { throw failure }

    func exportModel(
        _ model: Model, to directory: String, name: String, options: ExportOptions
    ) throws(ConversionError) -> ExportedModel { throw failure }

    private var failure: ConversionError {
        ConversionError("throwing.always", .badInput, "this plugin always fails", remedy: "Use another.")
    }
}

@_cdecl("rene_plugin_create")
public func createPlugin() -> UnsafeMutableRawPointer {
    Plugin(importers: [ThrowingConverter.self], exporters: [ThrowingConverter.self]).handOver()
}
