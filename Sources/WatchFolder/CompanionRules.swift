/// Which files belong to a model by their names alone.
///
///     x.onnx  +  x.onnx.data, x.onnx_data, x.data   weights kept outside the model
///             +  x.rene.yaml                        settings for this model
///             +  x.npz                              data for this model
///
/// Weights under any other name are known only to who reads the model: the inbox asks its caller for those.
public struct CompanionRules: Sendable, Hashable {
    /// What is put after the whole name of the model (`x.onnx`).
    public var dataSuffixes: [String]
    /// What is put in place of the model's extension, for weights.
    public var dataEndings: [String]
    /// What is put in place of the model's extension, for settings and data.
    public var sidecarEndings: [String]

    public init(
        dataSuffixes: [String] = [".data", "_data"], dataEndings: [String] = [".data"],
        sidecarEndings: [String] = [".rene.yaml", ".npz"]
    ) {
        self.dataSuffixes = dataSuffixes
        self.dataEndings = dataEndings
        self.sidecarEndings = sidecarEndings
    }

    /// Names beside the model `name` that belong to it, each with its role.
    func companions(of name: BytePath, filter: NameFilter) -> [(name: BytePath, role: ModelSet.Role)] {
        var result = dataSuffixes.map { (BytePath(name.bytes + Array($0.utf8)), ModelSet.Role.data) }
        if let stem = filter.stem(of: name) {
            result += dataEndings.map { (BytePath(stem.bytes + Array($0.utf8)), .data) }
            result += sidecarEndings.map { (BytePath(stem.bytes + Array($0.utf8)), .sidecar) }
        }
        return result
    }
}
