internal import ConverterKit

/// What changes in one scope, by the positions before the change, so that everything keeps its place.
struct ScopeEdit {
    /// What stands in a node's place; nothing when it is removed.
    var nodes: [Int: [Node]] = [:]
    var initializers: [Int: [Tensor]] = [:]
    var inputs: [Int: [ValueInfo]] = [:]
    /// Values that are gone: what is stated of their types goes too.
    var removedValues: Set<String> = []
}

extension [ScopePath: ScopeEdit] {
    /// The model with all edits, inner graphs included.
    func applied(to model: Model) -> Model {
        var model = model
        model.graph = edited(model.graph, at: ScopePath(root: .graph))
        for index in model.functions.indices {
            let path = ScopePath(root: .function(index))
            model.functions[index].nodes = edited(model.functions[index].nodes, at: path)
        }
        return model
    }

    private func edited(_ graph: Graph, at path: ScopePath) -> Graph {
        var graph = graph
        graph.nodes = edited(graph.nodes, at: path)
        guard let edit = self[path] else { return graph }
        graph.initializers = graph.initializers.replacing(edit.initializers)
        graph.inputs = graph.inputs.replacing(edit.inputs)
        graph.valueInfo.removeAll { edit.removedValues.contains($0.name ?? "") }
        return graph
    }

    private func edited(_ nodes: [Node], at path: ScopePath) -> [Node] {
        var nodes = nodes
        // Only nodes on the way to an edit are touched, so that all others stay as they were read.
        let inner = Set(
            keys.compactMap { key -> Int? in
                guard key.root == path.root, key.steps.count > path.steps.count,
                    key.steps.starts(with: path.steps)
                else { return nil }
                return key.steps[path.steps.count].node
            })
        for index in inner where nodes.indices.contains(index) {
            for attribute in nodes[index].attributes.indices {
                switch nodes[index].attributes[attribute].value {
                case .graph(let graph):
                    let step = ScopePath.Step(node: index, attribute: attribute, graph: 0)
                    guard touches(path.appending(step)) else { continue }
                    nodes[index].attributes[attribute].value = .graph(edited(graph, at: path.appending(step)))
                case .graphs(let graphs):
                    let steps = graphs.indices.map { ScopePath.Step(node: index, attribute: attribute, graph: $0) }
                    guard steps.contains(where: { touches(path.appending($0)) }) else { continue }
                    nodes[index].attributes[attribute].value = .graphs(
                        zip(graphs, steps).map { edited($0, at: path.appending($1)) })
                default: continue
                }
            }
        }
        return nodes.replacing(self[path]?.nodes ?? [:])
    }

    private func touches(_ path: ScopePath) -> Bool {
        keys.contains { $0.root == path.root && $0.steps.starts(with: path.steps) }
    }
}

extension Array {
    /// The elements with those at the keys replaced by the values.
    fileprivate func replacing(_ changes: [Int: [Element]]) -> [Element] {
        if changes.isEmpty { return self }
        var result: [Element] = []
        for (index, element) in enumerated() {
            if let change = changes[index] { result += change } else { result.append(element) }
        }
        return result
    }
}
