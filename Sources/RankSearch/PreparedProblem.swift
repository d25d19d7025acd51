internal import Decompositions

/// A search problem made ready: budgets as capacities, layers with the spaces of ranks that pay, fixed layers decided.
struct PreparedProblem: Sendable {
    var layers: [PreparedLayer]
    /// The reductions that were asked, in the order parameters, MACs, bytes.
    var resources: [Resource]
    var budget: Budget
    var total: ModelCost
    /// By resource: the share of the model's cost that no layer of the search accounts for.
    var rest: [Double]

    /// Throws the usage errors of `SearchError`, and `search.unreachable` when a reduction cannot be had even with the
    /// cheapest candidate of each layer.
    ///
    /// `firstFamilyOnly`: of each layer only the first decomposition with a rank that pays.
    init(_ problem: SearchProblem, settings: SearchSettings, firstFamilyOnly: Bool = false) throws {
        try problem.budget.validate()
        guard settings.rankMultiple >= 1 else {
            throw SearchError(
                code: "search.bad-rank-multiple", message: "the rank multiple is \(settings.rankMultiple)",
                remedy: "give 1 or more")
        }
        budget = problem.budget
        total = problem.total
        var dense = ModelCost(parameters: 0, macs: 0, bytes: 0)
        for layer in problem.layers {
            dense.parameters += layer.dense.parameters
            dense.macs += layer.dense.macs
            dense.bytes += Resource.amount(of: layer.dense, elementBytes: layer.elementBytes, kind: .bytes)
        }
        resources = []
        rest = []
        for kind in Resource.Kind.allCases {
            let whole = problem.total.amount(kind)
            let searched = dense.amount(kind)
            guard searched >= 0, searched <= whole else {
                throw SearchError(
                    code: "search.bad-total",
                    message: "the layers' \(kind.rawValue) sum to \(searched), the model's to \(whole)",
                    remedy: "this is a fault of the program: please report the model")
            }
            guard let asked = problem.budget.reduction(kind) else { continue }
            resources.append(Resource(kind: kind, total: whole, asked: asked, dense: searched))
            rest.append(whole > 0 ? Double(whole - searched) / Double(whole) : 0)
        }
        let kinds = resources.map(\.kind)
        layers = []
        for layer in problem.layers {
            layers.append(
                try PreparedLayer(
                    layer, kinds: kinds, rankMultiple: settings.rankMultiple,
                    largestError: problem.budget.largestError, firstFamilyOnly: firstFamilyOnly))
        }
        try requireReachable()
    }

    /// A cost as a share of the model, by resource.
    func shares(_ candidate: Candidate) -> [Double] {
        resources.indices.map { index in
            resources[index].total > 0 ? Double(candidate.amounts[index]) / Double(resources[index].total) : 0
        }
    }

    /// Parameters and MACs as the mean of their shares of the model: the price where no reduction tells which matters.
    func meanShare(_ cost: Cost) -> Double {
        let parameters = total.parameters > 0 ? Double(cost.parameters) / Double(total.parameters) : 0
        let macs = total.macs > 0 ? Double(cost.macs) / Double(total.macs) : 0
        return (parameters + macs) / 2
    }

    /// Whether one candidate for each layer keeps every reduction.
    func isMet(by choice: [Candidate]) -> Bool {
        resources.indices.allSatisfy { isMet(by: choice, resource: $0) }
    }

    /// Whether it keeps one of them.
    func isMet(by choice: [Candidate], resource index: Int) -> Bool {
        choice.reduce(0) { $0 + $1.amounts[index] } <= resources[index].capacity
    }

    /// The result in the form that callers see.
    func result(_ choice: [Candidate], steps: [SearchStep]) -> SearchResult {
        let choices = zip(layers, choice).map { layer, candidate in
            Choice(
                decomposition: candidate.family.map { layer.familyIDs[$0] }, ranks: candidate.ranks,
                cost: candidate.cost, relativeError: candidate.relativeError)
        }
        return SearchResult(choices: choices, steps: steps)
    }
}

/// A layer made ready.
struct PreparedLayer: Sendable {
    var id: String
    /// Ids of all families of the layer; `Candidate.family` points into it.
    var familyIDs: [String]
    /// The families that have a rank that pays; none for a layer with fixed ranks.
    var spaces: [RankSpace]
    /// By space, the candidates of which one is cheapest (`RankSpace.cheapest`).
    var cheapest: [[Candidate]]
    /// By space, a few of `cheapest`, with the cheapest in each resource among them. Every step of a search has them,
    /// so a reduction that can be reached is never lost between the samples.
    var anchors: [[Candidate]]
    var dense: Candidate
    /// What the user set.
    var fixed: Candidate?

    init(
        _ layer: SearchLayer, kinds: [Resource.Kind], rankMultiple: Int, largestError: Double?, firstFamilyOnly: Bool
    ) throws {
        id = layer.id
        familyIDs = layer.families.map(\.decomposition.id)
        dense = Candidate(
            family: nil, ranks: [], cost: layer.dense, error: 0,
            amounts: kinds.map { Resource.amount(of: layer.dense, elementBytes: layer.elementBytes, kind: $0) })
        spaces = []
        cheapest = []
        anchors = []
        if let ranks = layer.fixedRanks {
            fixed = try Self.fixed(ranks, of: layer, kinds: kinds)
            return
        }
        for family in layer.families.indices {
            let space = try RankSpace(
                layer: layer, family: family, kinds: kinds, rankMultiple: rankMultiple, largestError: largestError)
            guard let space else { continue }
            let smallest = try space.cheapest()
            if !smallest.isEmpty {
                spaces.append(space)
                cheapest.append(smallest)
                anchors.append(Self.anchors(of: smallest, resources: kinds.count))
            }
            if firstFamilyOnly { return }
        }
    }

    /// What a search may choose at least: the fixed candidate, or the cheapest ones and dense.
    var extremes: [Candidate] { fixed.map { [$0] } ?? cheapest.flatMap(\.self) + [dense] }

    private static func anchors(of cheapest: [Candidate], resources: Int) -> [Candidate] {
        guard resources > 0 else { return [] }
        var anchors = cheapest.paretoFront(limit: 8)
        for index in 0..<resources {
            guard let least = cheapest.min(by: { $0.amounts[index] < $1.amounts[index] }) else { continue }
            if !anchors.contains(where: { $0.ranks == least.ranks }) { anchors.append(least) }
        }
        return anchors
    }

    /// The user's ranks under the first decomposition that has so many. They need not be multiples of anything nor keep
    /// the error bound: who names a rank has decided.
    private static func fixed(_ ranks: [Int], of layer: SearchLayer, kinds: [Resource.Kind]) throws -> Candidate {
        let largest = layer.families.map { $0.decomposition.largestRanks(for: layer.shape) }
        guard let family = largest.firstIndex(where: { $0.count == ranks.count }) else {
            let known = layer.families.indices.map {
                "\(layer.families[$0].decomposition.id) with \(largest[$0].count)"
            }
            throw SearchError(
                code: "search.rank-count",
                message: "layer '\(layer.id)' is given \(ranks.count) ranks; its decompositions: "
                    + (known.isEmpty ? "none" : known.joined(separator: ", ")),
                remedy: "give as many ranks as the decomposition has", layer: layer.id)
        }
        let id = layer.families[family].decomposition.id
        guard zip(ranks, largest[family]).allSatisfy({ $0 >= 1 && $0 <= $1 }) else {
            throw SearchError(
                code: "search.rank-out-of-range",
                message: "layer '\(layer.id)' cannot have rank \(ranks) under \(id): the largest is \(largest[family])",
                remedy: "give ranks between 1 and \(largest[family])", layer: layer.id)
        }
        guard
            let space = try RankSpace(layer: layer, family: family, kinds: kinds, rankMultiple: 1, largestError: nil),
            let candidate = try space.candidate(ranks)
        else {
            throw SearchError(
                code: "search.rank-does-not-pay",
                message: "rank \(ranks) of layer '\(layer.id)' under \(id) saves no parameters or no MACs",
                remedy: "give a smaller rank, or exclude the layer", layer: layer.id)
        }
        return candidate
    }
}
