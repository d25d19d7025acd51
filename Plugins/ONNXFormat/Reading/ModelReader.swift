internal import CONNX
public import ConverterKit

/// Reads ONNX files into `Model`s.
public struct ModelReader {
    let window: FileWindow
    let limits: ImportLimits
    let external: ExternalFiles
    /// Bytes that may still be held in memory beside the decoded model.
    var retainable: Int

    /// Reads the model at `path`. Its weights stay on disk as regions of the opened files. Errors: `input.*` when it
    /// cannot be opened or read, `onnx.*`, `shape.*` and `external-data.*` when it is not a sound model. Time follows
    /// the size of the file without its tensors, memory that of the decoded graph.
    public static func read(path: String, limits: ImportLimits = ImportLimits()) throws(ConversionError) -> Model {
        do throws(ConversionError) {
            let file = try OpenFile(path: path)
            var reader = ModelReader(file, limits: limits)
            var verifier = WireVerifier(reader.window, limits: limits)
            try verifier.verify()
            let model = try reader.model()
            try ModelRules(limits: limits).check(model)
            return model
        } catch {
            throw error.at(.init(file: path))
        }
    }

    /// Names of the data files that the model at `path` refers to, which need not be there, in the order of their first
    /// mention. Errors as those of `read`, but for what only the data files could tell.
    public static func dataFiles(
        path: String, limits: ImportLimits = ImportLimits()
    ) throws(ConversionError) -> [String] {
        do throws(ConversionError) {
            var reader = ModelReader(try OpenFile(path: path), limits: limits, onlyNames: true)
            var verifier = WireVerifier(reader.window, limits: limits)
            try verifier.verify()
            _ = try reader.model()
            return reader.external.names
        } catch {
            throw error.at(.init(file: path))
        }
    }

    init(_ file: OpenFile, limits: ImportLimits, onlyNames: Bool = false) {
        window = FileWindow(file)
        self.limits = limits
        external = ExternalFiles(model: file, limits: limits, onlyNames: onlyNames)
        retainable = limits.skeletonBytes
    }

    private mutating func model() throws(ConversionError) -> Model {
        var graph: Graph?
        var operatorSets: [OperatorSet] = []
        var metadata: [MetadataEntry] = []
        var functions: [Function] = []
        var parts = MessageParts(window, shell: [1, 2, 3, 4, 5], documents: [6])
        var cursor = MessageCursor(window, from: 0, to: window.file.size)
        while let field = try cursor.next() {
            switch field.number {
            case 7: graph = try self.graph(field)
            case 8: operatorSets.append(try operatorSet(field))
            case 14: metadata.append(try entry(field))
            case 25: functions.append(try function(field))
            default: try parts.keep(field)
            }
        }
        guard let graph else { throw InputFault.bad("onnx.no-graph", "the file holds no graph") }
        var model = Model(format: "onnx", path: window.file.path, graph: graph)
        try unsafe parts.withShell(onnx__model_proto__unpack, onnx__model_proto__free_unpacked) { shell in
            model.irVersion = unsafe shell.has_ir_version != 0 ? shell.ir_version : nil
            model.producerName = unsafe Text.string(shell.producer_name)
            model.producerVersion = unsafe Text.string(shell.producer_version)
            model.domain = unsafe Text.string(shell.domain)
            model.modelVersion = unsafe shell.has_model_version != 0 ? shell.model_version : nil
            model.docString = unsafe Text.string(shell.doc_string)
        }
        model.operatorSets = operatorSets
        model.metadata = metadata
        model.functions = functions
        model.unmodelled = parts.unmodelled
        return model
    }

    func operatorSet(_ field: WireField) throws(ConversionError) -> OperatorSet {
        var parts = MessageParts(window, shell: [1, 2])
        var cursor = MessageCursor(window, from: field.content, to: field.end)
        while let field = try cursor.next() { try parts.keep(field) }
        return try unsafe parts.withShell(
            onnx__operator_set_id_proto__unpack, onnx__operator_set_id_proto__free_unpacked
        ) { shell in
            unsafe OperatorSet(
                domain: Text.string(shell.domain), version: shell.has_version != 0 ? shell.version : nil,
                unmodelled: parts.unmodelled)
        }
    }

    func entry(_ field: WireField) throws(ConversionError) -> MetadataEntry {
        var parts = MessageParts(window, shell: [1], documents: [2])
        var cursor = MessageCursor(window, from: field.content, to: field.end)
        while let field = try cursor.next() { try parts.keep(field) }
        return try unsafe parts.withShell(
            onnx__string_string_entry_proto__unpack, onnx__string_string_entry_proto__free_unpacked
        ) { shell in
            unsafe MetadataEntry(
                key: Text.string(shell.key), value: Text.string(shell.value), unmodelled: parts.unmodelled)
        }
    }
}
