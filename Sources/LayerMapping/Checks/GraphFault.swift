internal import ConverterKit

/// Something that makes a graph not well-formed.
struct GraphFault: Sendable, Hashable {
    enum Code: String, Sendable, Hashable, CaseIterable {
        /// A node or output names a value that nothing defines.
        case danglingInput = "graph.dangling-input"
        case missingOutput = "graph.missing-output"
        /// Two nodes, or a node and an input or initializer of one graph, define the same name.
        case duplicateValue = "graph.duplicate-value"
        /// A value is used before the node that computes it.
        case unsorted = "graph.unsorted"
        /// A value is computed from itself.
        case cycle = "graph.cycle"
        /// A local function calls itself, at once or through others.
        case recursiveFunction = "graph.recursive-function"
        /// An inner graph defines a name of an outer one. Runtimes differ on it; it is no reason to refuse a model.
        case shadowedValue = "graph.shadowed-value"
    }

    var code: Code
    var message: String
    var node: String?
    var value: String?

    /// As an error of the model that was read.
    func inSource(file: String) -> ConversionError {
        ConversionError(
            .init(code.rawValue), .badInput, message, remedy: "Export the model again.",
            site: .init(file: file, node: node, tensor: value))
    }

    /// As an error of a rewrite, which must not bring any fault in.
    var afterRewrite: ConversionError {
        ConversionError(
            "mapping.invalid-graph", .internal, "the rewritten graph is not well-formed: \(message)",
            remedy: "Report this; the layer can be left out with --exclude.", site: .init(node: node, tensor: value),
            cause: code.rawValue)
    }
}
