import ConverterKit

/// A toy format, one operation to a line: `NAME = OPERATION INPUT INPUT …`.
let textFormat = FormatDescription(
    name: "text-graph", fileExtensions: ["graph.txt"], summary: "one operation to a line, without weights")

/// Hands the plugin to the program.
@_cdecl("rene_plugin_create")
public func createPlugin() -> UnsafeMutableRawPointer {
    Plugin(importers: [TextImporter.self], exporters: [TextExporter.self]).handOver()
}
