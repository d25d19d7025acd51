public import ConverterKit

/// What is to be said of an operator that graphs may use.
public struct OperatorDescription: Sendable, Hashable {
    /// "" is ONNX's own.
    public let domain: String
    public let name: String
    public let hasGradient: Bool
    /// Largest relative difference from a peer's result that rounding explains.
    public let tolerance: Double
}

extension GraphExecutor {
    /// The operators that are executed, by domain and name, without those of the programs' own.
    public static var operators: [OperatorDescription] {
        let described = OperatorRegistry.all.filter { $0.domain != "rene" }.map {
            OperatorDescription(
                domain: $0.domain, name: $0.name, hasGradient: $0.gradient != nil, tolerance: $0.tolerance)
        }
        return Set(described).sorted { ($0.domain, $0.name) < ($1.domain, $1.name) }
    }

    /// Operators that the model uses, at any depth, and which are neither executed nor functions of its own.
    public static func missingOperators(of model: Model) -> [String] {
        let functions = Lowering.functions(of: model)
        var missing: Set<String> = []
        func visit(_ nodes: [Node]) {
            for node in nodes {
                let key = OperatorKey(domain: node.domain ?? "", name: node.operation)
                let function = Lowering.FunctionName(
                    domain: node.domain, name: node.operation, overload: node.overload)
                if functions[function] == nil, OperatorRegistry.named(key) == nil {
                    missing.insert(key.description)
                }
                for attribute in node.attributes {
                    if case .graph(let graph) = attribute.value { visit(graph.nodes) }
                }
            }
        }
        visit(model.graph.nodes)
        for function in model.functions { visit(function.nodes) }
        return missing.sorted()
    }
}
