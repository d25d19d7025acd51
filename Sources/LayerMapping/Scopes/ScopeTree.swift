internal import ConverterKit

/// All scopes of a model with who defines and who uses each value. Values are told apart by scope, since sibling
/// subgraphs and functions may use the same name.
struct ScopeTree: Sendable {
    /// One list of nodes with the names it defines.
    struct Scope: Sendable {
        let path: ScopePath
        /// The scope whose values this one sees; `nil` for the graph and for a function's body.
        let parent: Int?
        let nodes: [Node]
        let initializers: [Tensor]
        let inputs: [String]
        let outputs: [String]
        let valueInfo: [ValueInfo]
        let inputInfo: [ValueInfo]
        let outputInfo: [ValueInfo]
        let unmodelled: [UInt8]
        let operatorSets: [OperatorSet]
        /// A path of each node that is unique in the model.
        let ids: [String]
        let inputNames: Set<String>
        /// The graph's initializers stand among its inputs because the format of the time asked for it, and not to let
        /// a caller override some of them: before IR version 4 they had to, and exporters kept the habit for all.
        let listsInitializersAsInputs: Bool
        var definitions: [String: Definition]

        var isFunction: Bool { if case .function = path.root { path.steps.isEmpty } else { false } }
    }

    /// What gives a value its content.
    enum Definition: Sendable, Hashable {
        case input(Int)
        case initializer(Int)
        case output(node: Int, index: Int)
    }

    /// A value, by the scope that defines it.
    struct ValueID: Sendable, Hashable {
        var scope: Int
        var name: String
    }

    /// Something that reads a value.
    enum Use: Sendable, Hashable {
        case node(scope: Int, node: Int, input: Int)
        case output(scope: Int)
    }

    private(set) var scopes: [Scope] = []
    private(set) var uses: [ValueID: [Use]] = [:]
    private(set) var scopeIndex: [ScopePath: Int] = [:]
    let model: Model

    init(of model: Model) {
        self.model = model
        var ids = UniqueNames()
        let graph = model.graph
        add(graph, path: ScopePath(root: .graph), parent: nil, prefix: "", sets: model.operatorSets, ids: &ids)
        for (index, function) in model.functions.enumerated() {
            let domain = function.domain ?? ""
            let name = (domain.isEmpty ? "" : domain + "::") + (function.name ?? "function_\(index)")
            var body = Graph(name: function.name)
            body.nodes = function.nodes
            body.inputs = function.inputs.map { ValueInfo(name: $0, tensorType: nil) }
            body.outputs = function.outputs.map { ValueInfo(name: $0, tensorType: nil) }
            add(
                body, path: ScopePath(root: .function(index)), parent: nil, prefix: name + "/",
                sets: function.operatorSets, ids: &ids)
        }
        for scope in scopes.indices { collectUses(in: scope) }
    }

    private mutating func add(
        _ graph: Graph, path: ScopePath, parent: Int?, prefix: String, sets: [OperatorSet], ids: inout UniqueNames
    ) {
        var definitions: [String: Definition] = [:]
        let inputs = graph.inputs.map { $0.name ?? "" }
        for (index, name) in inputs.enumerated() { definitions[name] = .input(index) }
        for (index, tensor) in graph.initializers.enumerated() {
            if let name = tensor.name { definitions[name] = .initializer(index) }
        }
        for (index, node) in graph.nodes.enumerated() {
            for (output, name) in node.outputs.enumerated() where !name.isEmpty {
                definitions[name] = definitions[name] ?? .output(node: index, index: output)
            }
        }
        let names = graph.nodes.enumerated().map { index, node in
            let name = node.name ?? ""
            return ids.claim(prefix + (name.isEmpty ? "\(node.operation)_\(index)" : name))
        }
        let index = scopes.count
        scopeIndex[path] = index
        let inputNames = Set(inputs)
        let isMain = path == ScopePath(root: .graph)
        let old = model.irVersion.map { $0 < 4 } ?? false
        let allListed = graph.initializers.allSatisfy { inputNames.contains($0.name ?? "") }
        scopes.append(
            Scope(
                path: path, parent: parent, nodes: graph.nodes, initializers: graph.initializers, inputs: inputs,
                outputs: graph.outputs.map { $0.name ?? "" }, valueInfo: graph.valueInfo, inputInfo: graph.inputs,
                outputInfo: graph.outputs, unmodelled: graph.unmodelled, operatorSets: sets, ids: names,
                inputNames: inputNames, listsInitializersAsInputs: isMain && (old || allListed),
                definitions: definitions))
        for (nodeIndex, node) in graph.nodes.enumerated() {
            for (attributeIndex, attribute) in node.attributes.enumerated() {
                for (graphIndex, inner) in attribute.graphs.enumerated() {
                    let label = attribute.graphs.count > 1 ? "\(attribute.name)_\(graphIndex)" : attribute.name
                    add(
                        inner,
                        path: path.appending(.init(node: nodeIndex, attribute: attributeIndex, graph: graphIndex)),
                        parent: index, prefix: "\(names[nodeIndex])/\(label)/", sets: sets, ids: &ids)
                }
            }
        }
    }

    private mutating func collectUses(in scope: Int) {
        for (nodeIndex, node) in scopes[scope].nodes.enumerated() {
            for (input, name) in node.inputs.enumerated() where !name.isEmpty {
                guard let value = resolve(name, in: scope) else { continue }
                uses[value, default: []].append(.node(scope: scope, node: nodeIndex, input: input))
            }
        }
        for name in scopes[scope].outputs {
            guard let value = resolve(name, in: scope) else { continue }
            uses[value, default: []].append(.output(scope: scope))
        }
    }
}

extension ScopeTree {
    /// The value that `name` means in `scope`: the innermost one of that name.
    func resolve(_ name: String, in scope: Int) -> ValueID? {
        var current: Int? = scope
        while let index = current {
            if scopes[index].definitions[name] != nil { return ValueID(scope: index, name: name) }
            current = scopes[index].parent
        }
        return nil
    }

    func definition(of value: ValueID) -> Definition? { scopes[value.scope].definitions[value.name] }

    func node(_ location: NodeLocation) -> Node? {
        guard let scope = scopeIndex[location.scope], scopes[scope].nodes.indices.contains(location.index) else {
            return nil
        }
        return scopes[scope].nodes[location.index]
    }
}

extension Attribute {
    /// The graphs that the attribute holds.
    var graphs: [Graph] {
        switch value {
        case .graph(let graph): [graph]
        case .graphs(let graphs): graphs
        default: []
        }
    }
}
