internal import ConverterKit

/// The invariants of a graph: every name has one source, and the source comes first. Linear in the model's size.
enum GraphCheck {
    /// Faults that make a model unusable, in the order of the model.
    static func faults(in tree: ScopeTree) -> [GraphFault] {
        var faults: [GraphFault] = []
        for scope in tree.scopes.indices {
            faults += duplicates(in: tree.scopes[scope])
            faults += order(in: scope, of: tree)
            faults += outputs(of: scope, in: tree)
        }
        return faults + recursion(in: tree.model)
    }

    /// Faults and names that an inner graph takes from an outer one.
    static func allFaults(in tree: ScopeTree) -> [GraphFault] {
        var faults = faults(in: tree)
        for scope in tree.scopes {
            guard let parent = scope.parent else { continue }
            for name in scope.definitions.keys where tree.resolve(name, in: parent) != nil {
                faults.append(
                    GraphFault(
                        code: .shadowedValue, message: "an inner graph defines \(name) of an outer one", value: name))
            }
        }
        return faults
    }

    private static func duplicates(in scope: ScopeTree.Scope) -> [GraphFault] {
        var faults: [GraphFault] = []
        var seen: Set<String> = []
        func define(_ name: String, by node: String?) {
            if name.isEmpty || seen.insert(name).inserted { return }
            faults.append(
                GraphFault(code: .duplicateValue, message: "\(name) is defined twice", node: node, value: name))
        }
        for name in scope.inputs { define(name, by: nil) }
        var stored: Set<String> = []
        for tensor in scope.initializers {
            guard let name = tensor.name, !name.isEmpty else { continue }
            // An initializer may stand among the inputs: it is then the input's default.
            if scope.inputNames.contains(name), stored.insert(name).inserted { continue }
            define(name, by: nil)
        }
        for (index, node) in scope.nodes.enumerated() {
            for name in node.outputs { define(name, by: scope.ids[index]) }
        }
        return faults
    }

    private static func order(in scope: Int, of tree: ScopeTree) -> [GraphFault] {
        var faults: [GraphFault] = []
        let path = tree.scopes[scope].path
        for (index, node) in tree.scopes[scope].nodes.enumerated() {
            for name in node.inputs where !name.isEmpty {
                guard let value = tree.resolve(name, in: scope) else {
                    if tree.isUnmodelled(name, in: scope) { continue }
                    let id = tree.scopes[scope].ids[index]
                    faults.append(
                        GraphFault(
                            code: .danglingInput, message: "\(name), an input of \(id), is defined nowhere", node: id,
                            value: name))
                    continue
                }
                guard case .output(let source, _)? = tree.definition(of: value) else { continue }
                let depth = tree.scopes[value.scope].path.steps.count
                let user = value.scope == scope ? index : path.steps[depth].node
                if source < user { continue }
                faults.append(disorder(from: source, to: user, name: name, scope: value.scope, in: tree))
            }
        }
        return faults
    }

    private static func outputs(of scope: Int, in tree: ScopeTree) -> [GraphFault] {
        tree.scopes[scope].outputs.compactMap { name in
            if name.isEmpty || tree.resolve(name, in: scope) != nil || tree.isUnmodelled(name, in: scope) { return nil }
            return GraphFault(code: .missingOutput, message: "the output \(name) is defined nowhere", value: name)
        }
    }

    /// A use before its source: a cycle when the source needs the user, else only the wrong order.
    private static func disorder(
        from source: Int, to user: Int, name: String, scope: Int, in tree: ScopeTree
    ) -> GraphFault {
        let ids = tree.scopes[scope].ids
        var came: [Int: Int] = [:]
        var open = [source]
        while let current = open.popLast() {
            if current == user {
                var cycle = [user]
                while let last = cycle.last, last != source, let next = came[last] { cycle.append(next) }
                let text = (cycle + [user]).map { ids[$0] }.joined(separator: " → ")
                return GraphFault(code: .cycle, message: "the graph has a cycle: \(text)", node: ids[user], value: name)
            }
            for input in tree.scopes[scope].nodes[current].inputs {
                guard case .output(let next, _)? = tree.scopes[scope].definitions[input], next != source,
                    came[next] == nil
                else { continue }
                came[next] = current
                open.append(next)
            }
        }
        return GraphFault(
            code: .unsorted, message: "\(ids[user]) uses \(name) before \(ids[source]) computes it", node: ids[user],
            value: name)
    }

    private static func recursion(in model: Model) -> [GraphFault] {
        var indices: [FunctionKey: Int] = [:]
        for (index, function) in model.functions.enumerated() { indices[FunctionKey(function)] = index }
        var state = [Int](repeating: 0, count: model.functions.count)
        var faults: [GraphFault] = []
        for start in model.functions.indices where state[start] == 0 {
            // Depth first, with a stack of its own: a file may chain as many functions as it likes.
            var stack: [(function: Int, calls: ArraySlice<Int>)] = []
            func enter(_ index: Int) {
                state[index] = 1
                stack.append((index, calls(in: model.functions[index].nodes, indices)[...]))
            }
            enter(start)
            while let top = stack.last {
                guard let next = top.calls.first else {
                    state[top.function] = 2
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].calls.removeFirst()
                if state[next] == 0 { enter(next) }
                if state[next] == 1, stack.dropLast().contains(where: { $0.function == next }) || next == top.function {
                    let name = model.functions[next].name ?? ""
                    faults.append(
                        GraphFault(code: .recursiveFunction, message: "the function \(name) calls itself", node: name))
                    state[next] = 2
                }
            }
        }
        return faults
    }

    private static func calls(in nodes: [Node], _ indices: [FunctionKey: Int]) -> [Int] {
        var found: [Int] = []
        for node in nodes {
            if let index = indices[FunctionKey(node)] { found.append(index) }
            for attribute in node.attributes {
                for graph in attribute.graphs { found += calls(in: graph.nodes, indices) }
            }
        }
        return found
    }
}

/// What a node names when it calls a function.
struct FunctionKey: Sendable, Hashable {
    let domain: String
    let name: String
    let overload: String

    init(_ function: Function) {
        domain = function.domain ?? ""
        name = function.name ?? ""
        overload = function.overload ?? ""
    }

    init(_ node: Node) {
        domain = node.domain ?? ""
        name = node.operation
        overload = node.overload ?? ""
    }
}

extension ScopeTree {
    /// True when the name may be that of a sparse initializer, which the kit keeps as bytes.
    func isUnmodelled(_ name: String, in scope: Int) -> Bool {
        let bytes = Array(name.utf8)
        var current: Int? = scope
        while let index = current {
            if !scopes[index].unmodelled.isEmpty, scopes[index].unmodelled.holds(bytes) { return true }
            current = scopes[index].parent
        }
        return false
    }
}
