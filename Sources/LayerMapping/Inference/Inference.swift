internal import ConverterKit

/// Extents of the values of a model, for one input of it: stated where the model states them, inferred elsewhere.
struct Inference: Sendable {
    /// By node, one entry for each distinct way in which it runs; only of nodes that cost multiply-accumulates.
    private(set) var observations: [NodeLocation: [Observation]] = [:]
    private(set) var assumed: [AssumedExtent] = []

    private let tree: ScopeTree
    private let functions: [FunctionKey: Int]
    private var symbols: [String: Int] = [:]
    /// Functions that call functions may run more nodes than a file of their size has room for.
    private var remainingVisits = 2_000_000

    /// A running scope: its facts by name, and the scope around it.
    private struct Frame {
        var scope: Int
        var facts: [String: ValueFact]
        var outer: [Frame]
        /// What a function's caller states for the attributes that its body refers to.
        var attributes: [String: Attribute.Value] = [:]
    }

    init(of tree: ScopeTree, inputShapes: [String: [Int]]) {
        self.tree = tree
        functions = Dictionary(
            tree.model.functions.enumerated().map { (FunctionKey($0.element), $0.offset) },
            uniquingKeysWith: { first, _ in first })
        let assumption = InputAssumption(of: tree, inputShapes: inputShapes)
        symbols = assumption.symbols
        assumed = assumption.assumed
        var frame = Frame(scope: 0, facts: assumption.facts, outer: [])
        run(&frame, times: 1, depth: 0)
    }

    private mutating func run(_ frame: inout Frame, times: Int, depth: Int) {
        let scope = tree.scopes[frame.scope]
        for tensor in scope.initializers {
            if let name = tensor.name { frame.facts[name] = ValueFact(of: tensor).bounded }
        }
        var stated: [String: ValueFact] = [:]
        for info in scope.valueInfo + (scope.isFunction ? [] : scope.outputInfo) {
            if let name = info.name, let type = info.tensorType { stated[name] = fact(of: type) }
        }
        for (index, written) in scope.nodes.enumerated() {
            let node = scope.path.root == .graph ? written : written.resolvingReferences(frame.attributes)
            remainingVisits -= 1
            guard remainingVisits > 0 else { return }
            let inputs = node.inputs.map { lookUp($0, in: frame) }
            var outputs = results(of: node, at: index, inputs: inputs, frame: frame, times: times, depth: depth)
            while outputs.count < node.outputs.count { outputs.append(ValueFact()) }
            for (position, name) in node.outputs.enumerated() where !name.isEmpty {
                outputs[position] = outputs[position].completed(by: stated[name]).bounded
                frame.facts[name] = outputs[position]
            }
            if MacCount.counts(node) {
                record(inputs, outputs, at: NodeLocation(scope: scope.path, index: index), times: times)
            }
        }
    }

    private mutating func record(
        _ inputs: [ValueFact?], _ outputs: [ValueFact], at location: NodeLocation, times: Int
    ) {
        let entry = Observation(
            inputs: inputs.map { $0?.withoutContent }, outputs: outputs.map(\.withoutContent), times: times)
        if let same = observations[location]?.firstIndex(where: {
            $0.inputs == entry.inputs && $0.outputs == entry.outputs
        }) {
            observations[location]?[same].times += times
        } else {
            observations[location, default: []].append(entry)
        }
    }

    private func lookUp(_ name: String, in frame: Frame) -> ValueFact? {
        if name.isEmpty { return nil }
        if let fact = frame.facts[name] { return fact }
        for outer in frame.outer.reversed() {
            if let fact = outer.facts[name] { return fact }
        }
        return ValueFact()
    }

    private mutating func results(
        of node: Node, at index: Int, inputs: [ValueFact?], frame: Frame, times: Int, depth: Int
    ) -> [ValueFact] {
        if let function = functions[FunctionKey(node)] {
            guard depth < 64, let scope = tree.scopeIndex[ScopePath(root: .function(function))] else { return [] }
            var inner = Frame(scope: scope, facts: [:], outer: [])
            for attribute in node.attributes { inner.attributes[attribute.name] = attribute.value }
            for (name, fact) in zip(tree.scopes[scope].inputs, inputs) { inner.facts[name] = fact }
            run(&inner, times: times, depth: depth + 1)
            return tree.scopes[scope].outputs.map { inner.facts[$0] ?? ValueFact() }
        }
        if node.attributes.contains(where: { !$0.graphs.isEmpty }) {
            return control(node, at: index, inputs: inputs, frame: frame, times: times, depth: depth)
        }
        guard let rule = InferenceRegistry.rule(for: node) else { return [] }
        let sets = tree.scopes[frame.scope].operatorSets
        let context = RuleContext(
            node: node, inputs: inputs, operatorSet: Int(clamping: sets.version(of: "") ?? 0))
        return rule(context)
    }

    /// If runs one branch (counted as both), Loop its body as often as a constant trip count says, Scan once for each
    /// element of its sequences.
    private mutating func control(
        _ node: Node, at index: Int, inputs: [ValueFact?], frame: Frame, times: Int, depth: Int
    ) -> [ValueFact] {
        guard depth < 64 else { return [] }
        var results: [[ValueFact]] = []
        for (attributeIndex, attribute) in node.attributes.enumerated() {
            for graphIndex in attribute.graphs.indices {
                let step = ScopePath.Step(node: index, attribute: attributeIndex, graph: graphIndex)
                guard let scope = tree.scopeIndex[tree.scopes[frame.scope].path.appending(step)] else { continue }
                let body = LoopBody(of: node, inputs: inputs, body: tree.scopes[scope])
                var inner = Frame(scope: scope, facts: [:], outer: frame.outer + [frame], attributes: frame.attributes)
                for info in tree.scopes[scope].inputInfo {
                    if let name = info.name { inner.facts[name] = info.tensorType.map { fact(of: $0) } ?? ValueFact() }
                }
                for (name, given) in zip(tree.scopes[scope].inputs, body.inputs) {
                    inner.facts[name] = given.completed(by: inner.facts[name]).bounded
                }
                let (product, overflow) = times.multipliedReportingOverflow(by: body.times)
                run(&inner, times: overflow ? times : product, depth: depth + 1)
                results.append(
                    body.outputs(of: tree.scopes[scope].outputs.map { lookUp($0, in: inner) ?? ValueFact() }))
            }
        }
        guard var first = results.first else { return [] }
        for other in results.dropFirst() {
            for index in first.indices where other.indices.contains(index) {
                first[index] = first[index].common(with: other[index])
            }
        }
        return first
    }

    private func fact(of type: TensorType) -> ValueFact {
        ValueFact(
            shape: type.shape?.map { dimension in
                switch dimension {
                case .fixed(let extent): extent >= 0 ? Int(exactly: extent) : nil
                case .symbol(let symbol): symbols[symbol]
                case .unknown: nil
                }
            }, type: type.elementTypeNumber
        ).bounded
    }
}

extension Node {
    /// The node with the values that a function's caller states in place of references to them. A reference to an
    /// attribute that the caller leaves out stays: the operator's own default counts then.
    fileprivate func resolvingReferences(_ values: [String: Attribute.Value]) -> Node {
        guard attributes.contains(where: { $0.value.isReference }) else { return self }
        var node = self
        for index in attributes.indices {
            if case .reference(let name) = attributes[index].value, let value = values[name] {
                node.attributes[index].value = value
            }
        }
        return node
    }
}
