internal import ConverterKit

/// What a node calls, and what a function answers to.
struct FunctionKey: Hashable, CustomStringConvertible {
    var domain: String
    var name: String
    var overload: String

    init(_ function: Function) {
        domain = Self.normal(function.domain)
        name = function.name ?? ""
        overload = function.overload ?? ""
    }

    init(_ node: Node) {
        domain = Self.normal(node.domain)
        name = node.operation
        overload = node.overload ?? ""
    }

    /// The domain under its one name: ONNX's own has two.
    static func normal(_ domain: String?) -> String { domain == "ai.onnx" ? "" : domain ?? "" }

    var description: String { "\(domain):\(name)" + (overload.isEmpty ? "" : ":\(overload)") }
}

/// Functions have distinct names and do not call themselves, directly or through others or through subgraphs.
struct FunctionRules {
    var limits: ImportLimits

    func check(_ model: Model) throws(ConversionError) {
        var indices: [FunctionKey: Int] = [:]
        for (index, function) in model.functions.enumerated() {
            guard let name = function.name, !name.isEmpty else {
                throw InputFault.bad("onnx.function.no-name", "a function of the model has no name")
            }
            guard indices.updateValue(index, forKey: FunctionKey(function)) == nil else {
                throw InputFault.bad("onnx.function.duplicate", "the function \(FunctionKey(function)) is there twice")
            }
        }
        guard !indices.isEmpty else { return }
        let calls = model.functions.map { function in
            var called: Set<Int> = []
            Self.collectCalls(function.nodes, indices, &called)
            return called.sorted()
        }
        let order = DependencyOrder(calls)
        if let cycle = order.cycle {
            let names = cycle.map { FunctionKey(model.functions[$0]).description }
            throw InputFault.bad(
                "onnx.function.recursive", "functions call themselves: \(CyclePath.text(names))",
                remedy: "ONNX has no recursion; inline or remove the functions.")
        }
        var depths = Array(repeating: 1, count: calls.count)
        for index in order.finished {
            depths[index] = 1 + (calls[index].map { depths[$0] }.max() ?? 0)
            guard depths[index] <= limits.callDepth else {
                throw InputFault.limit(
                    "onnx.function.call-depth", "functions call each other more than \(limits.callDepth) deep")
            }
        }
    }

    private static func collectCalls(_ nodes: [Node], _ indices: [FunctionKey: Int], _ called: inout Set<Int>) {
        for node in nodes {
            if let index = indices[FunctionKey(node)] { called.insert(index) }
            for graph in node.subgraphs { collectCalls(graph.nodes, indices, &called) }
        }
    }
}

extension Node {
    /// The graphs in the node's attributes.
    var subgraphs: [Graph] {
        attributes.flatMap { attribute -> [Graph] in
            switch attribute.value {
            case .graph(let graph): [graph]
            case .graphs(let graphs): graphs
            default: []
            }
        }
    }
}
