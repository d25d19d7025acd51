internal import ConverterKit

extension ScopeTree {
    /// True when the value is the same in each run: stored, or computed from stored tensors alone.
    func isConstant(_ value: ValueID) -> Bool {
        var remaining = 4096
        var known: [ValueID: Bool] = [:]
        return isConstant(value, known: &known, remaining: &remaining)
    }

    private func isConstant(_ value: ValueID, known: inout [ValueID: Bool], remaining: inout Int) -> Bool {
        if let answer = known[value] { return answer }
        remaining -= 1
        guard remaining > 0, let definition = definition(of: value) else { return false }
        // A cycle is no constant; it is reported by the check of the graph.
        known[value] = false
        let answer: Bool
        switch definition {
        case .input: answer = false
        case .initializer: answer = true
        case .output(let index, _):
            let node = scopes[value.scope].nodes[index]
            if node.isStandard, node.operation == "Constant" {
                answer = true
            } else if OperatorFacts.random.contains(node.operation)
                || node.attributes.contains(where: { !$0.graphs.isEmpty })
            {
                answer = false
            } else {
                let inputs = node.inputs.filter { !$0.isEmpty }
                var allConstant = !inputs.isEmpty
                for input in inputs where allConstant {
                    guard let source = resolve(input, in: value.scope) else {
                        allConstant = false
                        break
                    }
                    allConstant = isConstant(source, known: &known, remaining: &remaining)
                }
                answer = allConstant
            }
        }
        known[value] = answer
        return answer
    }

    /// True when a node that calls the function of `scope` passes a constant at this input.
    func callersPassConstant(input: Int, toFunctionScope scope: Int) -> Bool {
        var visited: Set<Int> = []
        return callersPassConstant(input: input, toFunctionScope: scope, visited: &visited)
    }

    private func callersPassConstant(input: Int, toFunctionScope scope: Int, visited: inout Set<Int>) -> Bool {
        guard case .function(let index) = scopes[scope].path.root, visited.insert(scope).inserted else { return false }
        let function = model.functions[index]
        for (caller, body) in scopes.enumerated() {
            for node in body.nodes where function.isCalled(by: node) && node.inputs.indices.contains(input) {
                guard let value = resolve(node.inputs[input], in: caller) else { continue }
                if isConstant(value) { return true }
                if case .input(let outer)? = definition(of: value), scopes[value.scope].isFunction,
                    callersPassConstant(input: outer, toFunctionScope: value.scope, visited: &visited)
                {
                    return true
                }
            }
        }
        return false
    }
}

extension Function {
    func isCalled(by node: Node) -> Bool {
        node.operation == name && (node.domain ?? "") == (domain ?? "") && (node.overload ?? "") == (overload ?? "")
    }
}
