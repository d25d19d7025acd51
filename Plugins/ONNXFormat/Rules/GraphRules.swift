internal import ConverterKit

/// Values are defined once and before they are used.
struct GraphRules {
    /// The values of a graph, and through `outer` those of the graphs around it.
    private final class Scope {
        let outer: Scope?
        /// Values that may be used by now.
        var defined: Set<String> = []
        /// Index of the node that makes a value.
        var producers: [String: Int] = [:]
        let nodes: [Node]

        init(nodes: [Node], outer: Scope?) {
            self.nodes = nodes
            self.outer = outer
        }

        func sees(_ name: String) -> Bool {
            var scope: Scope? = self
            while let current = scope {
                if current.defined.contains(name) { return true }
                scope = current.outer
            }
            return false
        }

        /// The innermost scope in which a node makes the value, before or after.
        func producing(_ name: String) -> Scope? {
            var scope: Scope? = self
            while let current = scope {
                if current.producers[name] != nil { return current }
                scope = current.outer
            }
            return nil
        }
    }

    /// Checks the model's graph with all graphs in it.
    static func check(_ graph: Graph) throws(ConversionError) { try check(graph, outer: nil) }

    /// Checks a function's body.
    static func check(_ function: Function) throws(ConversionError) {
        let scope = Scope(nodes: function.nodes, outer: nil)
        try define(function.inputs, in: scope, what: "function input")
        try check(scope)
        try checkOutputs(function.outputs, scope)
    }

    private static func check(_ graph: Graph, outer: Scope?) throws(ConversionError) {
        let scope = Scope(nodes: graph.nodes, outer: outer)
        try define(graph.inputs.map { $0.name ?? "" }, in: scope, what: "graph input")
        // An initializer may give an input its default.
        var constants: Set<String> = []
        for name in graph.initializers.compactMap(\.name) + (try SparseNames.names(in: graph)) where !name.isEmpty {
            guard constants.insert(name).inserted else {
                throw InputFault.bad(
                    "onnx.graph.duplicate-initializer", "two initializers have the same name", tensor: name)
            }
        }
        scope.defined.formUnion(constants)
        try check(scope)
        try checkOutputs(graph.outputs.map { $0.name ?? "" }, scope)
    }

    private static func define(_ names: [String], in scope: Scope, what: String) throws(ConversionError) {
        for name in names where !name.isEmpty {
            guard scope.defined.insert(name).inserted else {
                throw InputFault.bad("onnx.graph.duplicate-input", "two of a \(what) have the same name", tensor: name)
            }
        }
    }

    private static func check(_ scope: Scope) throws(ConversionError) {
        for (index, node) in scope.nodes.enumerated() {
            for name in node.outputs where !name.isEmpty {
                guard !scope.defined.contains(name), scope.producers.updateValue(index, forKey: name) == nil else {
                    throw InputFault.bad(
                        "onnx.graph.duplicate-output", "the value \(name) is defined twice", node: node.name,
                        tensor: name)
                }
            }
        }
        for node in scope.nodes {
            for name in node.inputs where !name.isEmpty && !scope.sees(name) {
                throw undefined(name, node, scope)
            }
            for graph in node.subgraphs { try check(graph, outer: scope) }
            for name in node.outputs where !name.isEmpty { scope.defined.insert(name) }
        }
    }

    private static func checkOutputs(_ names: [String], _ scope: Scope) throws(ConversionError) {
        for name in names where name.isEmpty || !scope.sees(name) {
            throw InputFault.bad(
                "onnx.graph.missing-output", "nothing defines the output \(name.debugDescription)", tensor: name)
        }
    }

    /// The error for a value that is used where it is not defined: never, later, or by way of itself.
    private static func undefined(_ name: String, _ node: Node, _ scope: Scope) -> ConversionError {
        guard let producing = scope.producing(name) else {
            return InputFault.bad(
                "onnx.graph.dangling-input", "nothing defines the value \(name)", node: node.name, tensor: name)
        }
        let nodes = producing.nodes
        let order = DependencyOrder(
            nodes.map { node in
                var names: Set<String> = []
                collectUses(node, &names)
                return names.compactMap { producing.producers[$0] }.sorted()
            })
        guard let cycle = order.cycle else {
            return InputFault.bad(
                "onnx.graph.unsorted", "the value \(name) is used before the node that makes it",
                remedy: "Sort the graph's nodes, or export the model again.", node: node.name, tensor: name)
        }
        let names = cycle.map { index in
            nodes[index].name.flatMap { $0.isEmpty ? nil : $0 } ?? nodes[index].outputs.first ?? nodes[index].operation
        }
        return InputFault.bad(
            "onnx.graph.cycle", "nodes depend on themselves: \(CyclePath.text(names))",
            remedy: "Export the model again; loops are written with Loop or Scan.", node: node.name, tensor: name)
    }

    private static func collectUses(_ node: Node, _ names: inout Set<String>) {
        names.formUnion(node.inputs)
        for graph in node.subgraphs {
            for inner in graph.nodes { collectUses(inner, &names) }
            names.formUnion(graph.outputs.compactMap(\.name))
        }
    }
}
