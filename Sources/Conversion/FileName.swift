internal import ConverterKit

/// Parts of paths.
enum FileName {
    /// The last component.
    static func last(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    /// The last component without its extension.
    static func stem(of path: String) -> String {
        let name = last(of: path)
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
        return String(name[..<dot])
    }

    /// Sum of the sizes of files.
    static func sizes(of paths: [String]) throws(ConversionError) -> Int {
        var total = 0
        for path in paths { total += try OpenFile(path: path).size }
        return total
    }
}

/// The files that a model consists of besides its own.
enum ModelFiles {
    /// Bytes of the external data files that the model's tensors lie in, each file counted once.
    static func externalBytes(of model: Model) -> Int {
        var sizes: [String: Int] = [:]
        func visit(_ tensor: Tensor) {
            if case .external(let external) = tensor.payload, case .file(let file, _) = external.bytes.storage {
                sizes[external.location] = file.size
            }
        }
        func visit(_ nodes: [Node]) {
            for attribute in nodes.lazy.flatMap(\.attributes) {
                switch attribute.value {
                case .tensor(let tensor): visit(tensor)
                case .tensors(let tensors): tensors.forEach(visit)
                case .graph(let graph): visit(graph)
                case .graphs(let graphs): graphs.forEach(visit)
                default: break
                }
            }
        }
        func visit(_ graph: Graph) {
            graph.initializers.forEach(visit)
            visit(graph.nodes)
        }
        visit(model.graph)
        for function in model.functions { visit(function.nodes) }
        return sizes.values.reduce(0, +)
    }
}
