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

extension ONNXImporter: DataImporter {
    /// Reads `input_N.pb`, in the order of the graph's inputs.
    public func inputs(
        inFolder path: String, of model: Model, limits: ImportLimits
    ) throws(ConversionError) -> [String: Tensor] {
        let stored = Set(model.graph.initializers.compactMap(\.name))
        let inputs = model.graph.inputs.filter { !stored.contains($0.name ?? "") }
        var values: [String: Tensor] = [:]
        for (index, info) in inputs.enumerated() {
            guard let name = info.name else { continue }
            let file = "\(path)/input_\(index).pb"
            let value: StoredValue
            do throws(ConversionError) {
                value = try DataReader.read(path: file, as: StoredValue.Kind(info), limits: limits)
            } catch {
                guard error.code == "input.missing" else { throw error }
                throw ConversionError(
                    "data.missing", .missingInput, "there is no \(file) for the input \(name)",
                    remedy: "Give a folder with a file input_N.pb for each input, or an .npz.", site: .init(file: file))
            }
            guard case .tensor(let tensor) = value else {
                throw ConversionError(
                    "data.unsupported", .badInput, "the input \(name) is no tensor",
                    remedy: "The model can still be converted from its weights.", site: .init(file: file))
            }
            values[name] = tensor
        }
        return values
    }
}

/// The plugin's entry point.
@_cdecl("rene_plugin_create")
public func createPlugin() -> UnsafeMutableRawPointer {
    unsafe Plugin(importers: [ONNXImporter.self]).handOver()
}
