internal import ConverterKit
internal import Decompositions

/// Gathers the candidates by stored weight, so that a weight is factorized once for all that use it or not at all.
struct LayerGrouping {
    private(set) var layers: [MappedLayer] = []
    private(set) var kept: [KeptNode] = []
    private let tree: ScopeTree
    private let inference: Inference

    init(tree: ScopeTree, inference: Inference, selection: inout LayerSelection) {
        self.tree = tree
        self.inference = inference
        let recognizer = LayerRecognizer(tree: tree)
        var order: [TracedWeight.Origin] = []
        var members: [TracedWeight.Origin: [Candidate]] = [:]
        var decided: [TracedWeight.Origin: [Candidate: (KeepReason, String)]] = [:]
        for scope in tree.scopes.indices {
            for node in tree.scopes[scope].nodes.indices {
                let place = ScopeNode(scope: scope, node: node)
                switch recognizer.recognize(place) {
                case .none: continue
                case .kept(let reason, let weight): keep(place, weight: weight, reason, reason.explanation)
                case .layer(let candidate):
                    let origin = candidate.weight.origin
                    if members[origin] == nil { order.append(origin) }
                    members[origin, default: []].append(candidate)
                    if let reason = selection.reason(for: candidate) {
                        decided[origin, default: [:]][candidate] = reason
                    }
                }
            }
        }
        for origin in order { decide(members[origin] ?? [], selected: decided[origin] ?? [:]) }
        let position = Dictionary(
            tree.scopes.enumerated().map { ($0.element.path, $0.offset) }, uniquingKeysWith: { first, _ in first })
        func key(_ location: NodeLocation) -> (Int, Int) { (position[location.scope] ?? 0, location.index) }
        layers.sort { key($0.nodes[0]) < key($1.nodes[0]) }
        kept.sort { key($0.location) < key($1.location) }
    }

    private mutating func keep(_ place: ScopeNode, weight: String?, _ reason: KeepReason, _ message: String) {
        let scope = tree.scopes[place.scope]
        kept.append(
            KeptNode(
                id: scope.ids[place.node], location: NodeLocation(scope: scope.path, index: place.node),
                operation: scope.nodes[place.node].operation, weightName: weight, reason: reason, message: message))
    }

    private mutating func decide(_ group: [Candidate], selected: [Candidate: (KeepReason, String)]) {
        guard let first = group.first else { return }
        // A weight that several nodes apply is no classifier's alone.
        let selected = group.count == 1 ? selected : selected.filter { $0.value.0 != .classifierHead }
        func keepAll(_ reason: KeepReason, _ message: String, into grouping: inout Self) {
            for candidate in group {
                let (reason, message) = selected[candidate] ?? (reason, message)
                grouping.keep(candidate.place, weight: candidate.weight.value.name, reason, message)
            }
        }
        if let (candidate, _) = selected.min(by: { $0.key.place.node < $1.key.place.node }) {
            return keepAll(.weightSharedWithOtherUse, "node \(candidate.id) shares the weight and stays", into: &self)
        }
        if let reason = otherUse(of: first.weight, by: group) {
            return keepAll(reason.0, reason.1, into: &self)
        }
        let layouts = Set(group.map { GroupKey($0) })
        guard layouts.count == 1 else {
            return keepAll(.weightViewsDiffer, KeepReason.weightViewsDiffer.explanation, into: &self)
        }
        let places = group.flatMap { LayerExtents.places(of: $0, inference: inference) }
            .sorted { $0.shape.denseCost.macs > $1.shape.denseCost.macs }
        guard let type = first.weight.tensor.elementType else { return }
        let layer = MappedLayer(
            id: first.id, operation: first.node.operation, nodes: group.map(\.location), nodeIDs: group.map(\.id),
            places: places, weightName: first.weight.value.name, elementType: type, weightTrace: first.weight,
            forms: group.map(\.form), traces: group.map(\.weight))
        if let message = RankOne.doesNotPay(layer) { return keepAll(.noRankPays, message, into: &self) }
        layers.append(layer)
    }

    /// Who but the group's nodes needs the stored tensor or a view of it.
    private func otherUse(of weight: TracedWeight, by group: [Candidate]) -> (KeepReason, String)? {
        let users = Set(
            group.map { ScopeTree.Use.node(scope: $0.place.scope, node: $0.place.node, input: $0.weightInput) })
        let views = Set(group.flatMap(\.weight.viewNodes))
        var open = [weight.value]
        while let value = open.popLast() {
            if tree.isAnnotated(value) { return (.weightAnnotated, "\(value.name) is named by an annotation") }
            for use in tree.uses[value] ?? [] where !users.contains(use) {
                switch use {
                case .output: return (.weightIsOutput, "\(value.name) is an output of its graph")
                case .node(let scope, let index, let input):
                    let node = tree.scopes[scope].nodes[index]
                    guard input == 0, views.contains(ScopeNode(scope: scope, node: index)) else {
                        let id = tree.scopes[scope].ids[index]
                        return (.weightSharedWithOtherUse, "\(id) (\(node.operation)) needs \(value.name) as well")
                    }
                    let output = node.outputs.first.flatMap { tree.resolve($0, in: scope) }
                    if let output, !open.contains(output) { open.append(output) }
                }
            }
        }
        return nil
    }
}

/// What nodes that share a weight must agree on, so that one set of factors serves all.
private struct GroupKey: Hashable {
    let views: [WeightView]
    let castNode: ScopeNode?
    let layout: FactorLayout

    init(_ candidate: Candidate) {
        views = candidate.weight.views.filter { $0 != .identity }
        castNode = candidate.weight.castIndex.map { candidate.weight.viewNodes[$0] }
        layout = candidate.form.factorLayout
    }
}

extension Candidate: Hashable {
    static func == (left: Candidate, right: Candidate) -> Bool { left.place == right.place }

    func hash(into hasher: inout Hasher) { hasher.combine(place) }
}
