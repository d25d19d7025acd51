internal import ConverterKit
internal import Decompositions

/// Which layers stay because a person or a default says so.
struct LayerSelection {
    let tree: ScopeTree
    let options: MappingOptions
    private let include: [Glob]
    private let exclude: [Glob]
    private var matched: Set<String> = []

    init(tree: ScopeTree, options: MappingOptions) {
        self.tree = tree
        self.options = options
        include = options.include.map { Glob($0) }
        exclude = options.exclude.map { Glob($0) }
    }

    var unmatchedPatterns: [String] { (options.include + options.exclude).filter { !matched.contains($0) } }

    /// The reason for which the candidate stays, or `nil`.
    mutating func reason(for candidate: Candidate) -> (KeepReason, String)? {
        let names = [candidate.id, candidate.node.name ?? "", candidate.weight.value.name].filter { !$0.isEmpty }
        if let pattern = match(exclude, names) { return (.excluded, "the pattern '\(pattern)' excludes it") }
        if !include.isEmpty {
            if match(include, names) != nil { return nil }
            return (.notIncluded, "no pattern of those to include matches it")
        }
        if options.keepsDepthwise, candidate.shape.groups > 1, candidate.shape.inChannelsPerGroup == 1 {
            return (.depthwise, "each of its \(candidate.shape.groups) channels has a kernel of its own")
        }
        if options.keepsClassifier, isClassifierHead(candidate) {
            return (.classifierHead, "it is the last linear layer before an output")
        }
        if options.keepsShortcuts, isShortcut(candidate) {
            return (.shortcut, "it is a 1×1 convolution beside a residual branch")
        }
        return nil
    }

    private mutating func match(_ globs: [Glob], _ names: [String]) -> String? {
        var result: String?
        for glob in globs where names.contains(where: { glob.matches($0) }) {
            matched.insert(String(glob.pattern))
            result = result ?? String(glob.pattern)
        }
        return result
    }

    /// A linear layer of the main graph, behind other layers, whose result reaches an output through nothing but score
    /// functions, reshaping and a constant bias.
    private func isClassifierHead(_ candidate: Candidate) -> Bool {
        guard candidate.shape.kind == .linear, tree.scopes[candidate.place.scope].path == ScopePath(root: .graph),
            var name = candidate.node.outputs.first
        else { return false }
        for _ in 0..<16 {
            guard let value = tree.resolve(name, in: candidate.place.scope), let uses = tree.uses[value] else {
                return false
            }
            if uses.contains(where: { if case .output = $0 { true } else { false } }) {
                return followsALayer(candidate)
            }
            guard uses.count == 1, case .node(let scope, let index, let input)? = uses.first,
                scope == candidate.place.scope
            else { return false }
            let node = tree.scopes[scope].nodes[index]
            guard node.isStandard, let output = node.outputs.first else { return false }
            let addsBias =
                node.operation == "Add" && node.inputs.count == 2
                && tree.resolve(node.inputs[1 - input], in: scope).map { tree.isConstant($0) } ?? false
            guard addsBias || (OperatorFacts.passingScores.contains(node.operation) && input == 0) else { return false }
            name = output
        }
        return false
    }

    /// True when a node that holds weights is among those that the candidate's input is computed from: the only layer of
    /// a model is no classifier on top of something.
    private func followsALayer(_ candidate: Candidate) -> Bool {
        let scope = candidate.place.scope
        var open = candidate.node.inputs
        var visited: Set<Int> = []
        while let name = open.popLast() {
            guard case .output(let index, _)? = tree.scopes[scope].definitions[name], visited.insert(index).inserted
            else { continue }
            let node = tree.scopes[scope].nodes[index]
            if OperatorFacts.layerByOperation[node.operation] != nil
                || OperatorFacts.holdingByOperation[node.operation] != nil
            {
                return true
            }
            open += node.inputs
        }
        return false
    }

    /// A 1×1 convolution whose input also leads, over another path with a convolution, to the sum that its result enters.
    private func isShortcut(_ candidate: Candidate) -> Bool {
        guard case .convolution(let form) = candidate.form, !form.isTransposed, form.kernel.allSatisfy({ $0 == 1 }),
            let input = candidate.node.inputs.first, var name = candidate.node.outputs.first
        else { return false }
        let scope = candidate.place.scope
        for _ in 0..<4 {
            guard let value = tree.resolve(name, in: scope), let uses = tree.uses[value], uses.count == 1,
                case .node(let userScope, let index, let position)? = uses.first, userScope == scope
            else { return false }
            let node = tree.scopes[scope].nodes[index]
            if node.isStandard, node.operation == "Add" || node.operation == "Sum", node.inputs.count == 2 {
                return leads(from: input, to: node.inputs[1 - position], in: scope)
            }
            guard node.isStandard, node.operation == "BatchNormalization" || node.operation == "Identity",
                let output = node.outputs.first
            else { return false }
            name = output
        }
        return false
    }

    /// True when `end` is computed from `start` over a path that holds a convolution, of at most 64 nodes.
    private func leads(from start: String, to end: String, in scope: Int) -> Bool {
        var open: [(name: String, hasConvolution: Bool)] = [(end, false)]
        var visited: Set<Int> = []
        while let (name, hasConvolution) = open.popLast(), visited.count < 64 {
            if name == start {
                if hasConvolution { return true }
                continue
            }
            guard case .output(let index, _)? = tree.scopes[scope].definitions[name], visited.insert(index).inserted
            else { continue }
            let node = tree.scopes[scope].nodes[index]
            let isConvolution = node.operation == "Conv"
            let inputs = isConvolution ? node.inputs.prefix(1) : node.inputs[...]
            for input in inputs { open.append((input, hasConvolution || isConvolution)) }
        }
        return false
    }
}
