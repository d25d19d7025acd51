internal import ConverterKit
internal import Decompositions

/// Collects the edits of a rewrite. New names are unique among those of all scopes: an inner graph sees the outer ones,
/// and a name that two scopes share would be hard to read in any case.
struct GraphRewrite {
    let tree: ScopeTree
    private var edits: [ScopePath: ScopeEdit] = [:]
    private var values = UniqueNames()
    private var nodeNames = UniqueNames()
    private var removed: Set<ScopeNode> = []

    init(of tree: ScopeTree) {
        self.tree = tree
        for scope in tree.scopes {
            for name in scope.definitions.keys { values.insert(name) }
            for name in scope.outputs { values.insert(name) }
            for info in scope.valueInfo { values.insert(info.name ?? "") }
            for node in scope.nodes {
                nodeNames.insert(node.name ?? "")
                for name in node.inputs { values.insert(name) }
            }
            for id in scope.ids { nodeNames.insert(id) }
        }
    }

    mutating func add(_ replacement: Replacement, store: FactorStore) throws(ConversionError) {
        let layer = replacement.layer
        let chain = try replacement.chain()
        try ChainCheck.check(chain, for: layer)
        let links = chain.links
        guard let first = layer.forms.first, isCurrent(layer) else {
            throw ConversionError(
                "mapping.stale-layer", .internal, "the layer is not one of this model", remedy: "Report this.",
                site: .init(node: layer.id))
        }
        var tensors: [Tensor] = []
        for (index, link) in links.enumerated() {
            let (shape, elements) = first.factor(link, isLast: index == links.count - 1)
            let name = claimValue("\(layer.weightName)/\(replacement.decomposition)_\(index)")
            do {
                let bytes = try Tensor.pack(elements, as: layer.elementType)
                tensors.append(factor(name, shape: shape, bytes: try store(bytes), like: layer.weightTrace.tensor))
            } catch {
                throw error.at(.init(node: layer.id, tensor: layer.weightName))
            }
        }
        replaceWeight(of: layer, by: tensors)
        let names = replaceCast(of: layer, factors: tensors.map { $0.name ?? "" }, id: replacement.decomposition)
        for (index, location) in layer.nodes.enumerated() {
            guard let scope = tree.scopeIndex[location.scope] else { continue }
            let node = tree.scopes[scope].nodes[location.index]
            let name = (node.name ?? "").isEmpty ? tree.scopes[scope].ids[location.index] : node.name ?? ""
            let output = node.outputs.first.flatMap { $0.isEmpty ? nil : $0 } ?? name
            let nodes = ChainNodes(
                node: node, form: layer.forms[index],
                names: links.indices.map { nodeNames.claim("\(name)/\(replacement.decomposition)_\($0)") },
                factors: names,
                between: links.indices.dropLast().map { claimValue("\(output)/\(replacement.decomposition)_\($0)") })
            edits[location.scope, default: ScopeEdit()].nodes[location.index] = nodes.nodes(for: links.map(\.shape))
        }
    }

    /// The model with all edits.
    func apply() -> Model { edits.applied(to: tree.model) }

    private func isCurrent(_ layer: MappedLayer) -> Bool {
        zip(layer.nodes, layer.traces).allSatisfy { location, trace in
            guard let node = tree.node(location), node.operation == layer.operation,
                edits[location.scope]?.nodes[location.index] == nil, tree.scopes.indices.contains(trace.value.scope)
            else { return false }
            return tree.definition(of: trace.value) != nil
        }
    }

    private mutating func claimValue(_ wanted: String) -> String {
        var name = values.claim(wanted)
        // A sparse initializer's name is known only as bytes.
        while tree.scopes.contains(where: { !$0.unmodelled.isEmpty && $0.unmodelled.holds(Array(name.utf8)) }) {
            name = values.claim(wanted)
        }
        return name
    }

    /// A new weight in the form of the old one: bytes beside the model stay beside it, in the same file.
    private func factor(_ name: String, shape: [Int], bytes: ByteSource, like old: Tensor) -> Tensor {
        var payload = Tensor.Payload.raw(bytes)
        if case .external(let external) = old.payload {
            payload = .external(
                ExternalData(location: external.location, offset: nil, length: nil, entries: [], bytes: bytes))
        }
        return Tensor(
            name: name, elementTypeNumber: old.elementTypeNumber, shape: shape.map { Int64($0) }, payload: payload)
    }
}

extension GraphRewrite {
    /// Puts the factors where the weight was, and takes the views on it out.
    private mutating func replaceWeight(of layer: MappedLayer, by tensors: [Tensor]) {
        let value = layer.weightTrace.value
        let scope = tree.scopes[value.scope]
        edits[scope.path, default: ScopeEdit()].removedValues.insert(value.name)
        switch layer.weightTrace.origin {
        case .initializer(_, let index):
            edits[scope.path, default: ScopeEdit()].initializers[index] = tensors
            if let position = scope.inputs.firstIndex(of: value.name) {
                edits[scope.path, default: ScopeEdit()].inputs[position] = tensors.map { tensor in
                    ValueInfo(
                        name: tensor.name,
                        tensorType: TensorType(
                            elementTypeNumber: tensor.elementTypeNumber, shape: tensor.shape.map { .fixed($0) }))
                }
            }
        case .constant(_, let index):
            let old = scope.nodes[index]
            let nodes = tensors.map { tensor in
                var content = tensor
                content.name = nil
                return Node(
                    name: nodeNames.claim(tensor.name ?? ""), operation: "Constant", domain: old.domain, inputs: [],
                    outputs: [tensor.name ?? ""], attributes: [Attribute(name: "value", value: .tensor(content))])
            }
            edits[scope.path, default: ScopeEdit()].nodes[index] = nodes
        }
        for trace in layer.traces {
            for view in trace.viewNodes where removed.insert(view).inserted {
                edits[tree.scopes[view.scope].path, default: ScopeEdit()].nodes[view.node] = []
                for name in tree.scopes[view.scope].nodes[view.node].outputs {
                    edits[tree.scopes[view.scope].path, default: ScopeEdit()].removedValues.insert(name)
                }
            }
        }
    }

    /// Casts the factors where the weight was cast. Returns the names under which the chain's nodes see the factors.
    ///
    ///     Given   W (float16) ── Cast(float) ── MatMul
    ///     Result  W/svd_0 (float16) ── Cast(float) ── MatMul, and the same for W/svd_1
    private mutating func replaceCast(of layer: MappedLayer, factors: [String], id: String) -> [String] {
        guard let index = layer.weightTrace.castIndex else { return factors }
        let place = layer.weightTrace.viewNodes[index]
        let scope = tree.scopes[place.scope]
        let old = scope.nodes[place.node]
        var nodes: [Node] = []
        var names: [String] = []
        for (number, factor) in factors.enumerated() {
            var node = old
            let base = (old.name ?? "").isEmpty ? scope.ids[place.node] : old.name ?? ""
            node.name = nodeNames.claim("\(base)/\(id)_\(number)")
            node.inputs = [factor]
            let name = claimValue("\(old.outputs.first ?? factor)/\(id)_\(number)")
            node.outputs = [name]
            nodes.append(node)
            names.append(name)
        }
        edits[scope.path, default: ScopeEdit()].nodes[place.node] = nodes
        return names
    }

    /// Takes out the constants that only removed views needed, such as the shape of a Reshape.
    mutating func removeUnused() {
        for view in removed {
            let scope = tree.scopes[view.scope]
            for name in scope.nodes[view.node].inputs.dropFirst() where !name.isEmpty {
                guard let value = tree.resolve(name, in: view.scope), !tree.isAnnotated(value) else { continue }
                let isNeeded = (tree.uses[value] ?? []).contains { use in
                    guard case .node(let scope, let node, _) = use else { return true }
                    return !removed.contains(ScopeNode(scope: scope, node: node))
                }
                if !isNeeded { remove(value) }
            }
        }
    }

    private mutating func remove(_ value: ScopeTree.ValueID) {
        let scope = tree.scopes[value.scope]
        switch tree.definition(of: value) {
        case .initializer(let index):
            edits[scope.path, default: ScopeEdit()].initializers[index] = []
            if let position = scope.inputs.firstIndex(of: value.name) {
                edits[scope.path, default: ScopeEdit()].inputs[position] = []
            }
        case .output(let node, _) where scope.nodes[node].operation == "Constant":
            edits[scope.path, default: ScopeEdit()].nodes[node] = []
        default: return
        }
        edits[scope.path, default: ScopeEdit()].removedValues.insert(value.name)
    }
}
