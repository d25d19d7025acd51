internal import ConverterKit
internal import Decompositions

/// A node that has the form of a layer with a weight at hand, before it is decided whether it stays.
struct Candidate: Sendable {
    var place: ScopeNode
    var location: NodeLocation
    var id: String
    var node: Node
    var form: LayerForm
    var weightInput: Int
    var weight: TracedWeight
    /// Channels, groups, kernel and strides; extents are set by the caller.
    var shape: LayerShape
}

/// What a node turned out to be.
enum Recognition: Sendable {
    case layer(Candidate)
    case kept(KeepReason, weight: String?)
    /// The node holds no weight.
    case none
}

/// Tells which nodes are layers, by the table `OperatorFacts`.
struct LayerRecognizer {
    let tree: ScopeTree

    func recognize(_ place: ScopeNode) -> Recognition {
        let scope = tree.scopes[place.scope]
        let node = scope.nodes[place.node]
        let domain = node.isStandard ? "" : node.domain ?? ""
        if let holding = OperatorFacts.holdingByOperation[node.operation]?.first(where: { $0.domain == domain }) {
            return recognize(node, holding: holding, in: place.scope)
        }
        guard node.isStandard, let facts = OperatorFacts.layerByOperation[node.operation] else { return .none }
        var traces: [Int: WeightTrace] = [:]
        for input in facts.weightInputs where node.inputs.indices.contains(input) && !node.inputs[input].isEmpty {
            traces[input] = tree.traceWeight(node.inputs[input], in: place.scope)
        }
        switch facts.form {
        case .convolution, .transposedConvolution:
            return recognizeConvolution(place, node: node, facts: facts, trace: traces[1] ?? .activation)
        case .gemm, .matMul: return recognizeLinear(place, node: node, facts: facts, traces: traces)
        }
    }

    private func recognize(_ node: Node, holding: HoldingOperator, in scope: Int) -> Recognition {
        for input in holding.weightInputs where node.inputs.indices.contains(input) && !node.inputs[input].isEmpty {
            if let value = tree.resolve(node.inputs[input], in: scope), tree.isConstant(value) {
                return .kept(holding.reason, weight: node.inputs[input])
            }
        }
        return .none
    }

    private func recognizeConvolution(
        _ place: ScopeNode, node: Node, facts: LayerOperator, trace: WeightTrace
    ) -> Recognition {
        let name = node.inputs.indices.contains(1) ? node.inputs[1] : nil
        let weight: TracedWeight
        switch trace {
        case .weight(let traced): weight = traced
        case .blocked(let reason): return .kept(reason, weight: name)
        case .activation: return .kept(.weightNotConstant, weight: name)
        }
        if let reason = blockingAttribute(of: node, facts: facts) { return .kept(reason, weight: name) }
        if node.attributes.contains(where: { $0.name == "output_shape" }) {
            return .kept(.transposedOutputShape, weight: name)
        }
        guard weight.shape.count >= 3 else { return .kept(.weightRank, weight: name) }
        guard
            let (form, shape) = ConvolutionForm.read(
                from: node, weightShape: weight.shape, isTransposed: facts.form == .transposedConvolution)
        else { return .kept(.weightShape, weight: name) }
        return .layer(candidate(place, node: node, .convolution(form), input: 1, weight, shape))
    }

    private func recognizeLinear(
        _ place: ScopeNode, node: Node, facts: LayerOperator, traces: [Int: WeightTrace]
    ) -> Recognition {
        var found: (input: Int, weight: TracedWeight)?
        var blocked: (input: Int, reason: KeepReason)?
        var activations = 0
        for input in facts.weightInputs {
            switch traces[input] ?? .activation {
            case .weight(let weight):
                // A weight on each side is a product of constants.
                if found != nil { return .kept(.constantInput, weight: node.inputs[input]) }
                found = (input, weight)
            case .blocked(let reason): blocked = blocked ?? (input, reason)
            case .activation: activations += 1
            }
        }
        if activations == 0, let input = facts.weightInputs.first, node.inputs.indices.contains(input) {
            return .kept(.constantInput, weight: node.inputs[input])
        }
        if let blocked { return .kept(blocked.reason, weight: node.inputs[blocked.input]) }
        guard let found else { return .none }
        let name = node.inputs[found.input]
        if let reason = blockingAttribute(of: node, facts: facts) { return .kept(reason, weight: name) }
        switch LinearForm.read(from: node, input: found.input, weightShape: found.weight.shape, facts: facts) {
        case .success((let form, let shape)):
            return .layer(candidate(place, node: node, .linear(form), input: found.input, found.weight, shape))
        case .failure(let reason): return .kept(reason.reason, weight: name)
        }
    }

    private func blockingAttribute(of node: Node, facts: LayerOperator) -> KeepReason? {
        for attribute in node.attributes {
            if !facts.attributes.contains(attribute.name) { return .unknownAttribute }
            if attribute.value.isReference { return .attributeReference }
        }
        return nil
    }

    private func candidate(
        _ place: ScopeNode, node: Node, _ form: LayerForm, input: Int, _ weight: TracedWeight, _ shape: LayerShape
    ) -> Candidate {
        let scope = tree.scopes[place.scope]
        return Candidate(
            place: place, location: NodeLocation(scope: scope.path, index: place.node), id: scope.ids[place.node],
            node: node, form: form, weightInput: input, weight: weight, shape: shape)
    }
}
