public import Decompositions

/// What a search decides: for each layer one of its candidates, or to keep the layer dense.
public struct SearchProblem: Sendable {
    public var layers: [SearchLayer]
    /// Cost of the whole model as it is: layers of the search, and all others that count.
    public var total: ModelCost
    /// Sum of the budgets that must all hold.
    public var budget: Budget

    public init(layers: [SearchLayer], total: ModelCost, budget: Budget) {
        self.layers = layers
        self.total = total
        self.budget = budget
    }
}

/// Parameters, MACs and bytes of a whole model.
public struct ModelCost: Sendable, Hashable {
    public var parameters: Int
    public var macs: Int
    /// Bytes of the weights as stored.
    public var bytes: Int

    public init(parameters: Int, macs: Int, bytes: Int) {
        self.parameters = parameters
        self.macs = macs
        self.bytes = bytes
    }
}

/// One layer of the search.
public struct SearchLayer: Sendable {
    /// Identifier of the layer: its node's path in the model.
    public var id: String
    public var shape: LayerShape
    /// Cost as it is, over all nodes that share the weight: parameters once, MACs summed.
    public var dense: Cost
    /// How many nodes share the weight; each runs the chain.
    public var uses: Int
    /// Bytes of one element as stored.
    public var elementBytes: Int
    /// The decompositions that the layer may take, each with its analysis.
    public var families: [SearchFamily]
    /// Ranks set by the user (`--rank NODE=RANK`), or `nil`.
    public var fixedRanks: [Int]?

    public init(
        id: String, shape: LayerShape, dense: Cost, uses: Int, elementBytes: Int, families: [SearchFamily],
        fixedRanks: [Int]? = nil
    ) {
        self.id = id
        self.shape = shape
        self.dense = dense
        self.uses = uses
        self.elementBytes = elementBytes
        self.families = families
        self.fixedRanks = fixedRanks
    }
}

/// A decomposition of a layer with the errors at its ranks.
public struct SearchFamily: Sendable {
    public var decomposition: any Decomposition
    public var analysis: any RankAnalysis

    public init(decomposition: any Decomposition, analysis: any RankAnalysis) {
        self.decomposition = decomposition
        self.analysis = analysis
    }
}

/// What the user asks for. Reductions are fractions of the whole model to remove; every one that is given must hold.
public struct Budget: Sendable, Hashable {
    public var parameterReduction: Double?
    public var macReduction: Double?
    public var byteReduction: Double?
    /// Largest relative weight error of any layer.
    public var largestError: Double?

    public init(
        parameterReduction: Double? = nil, macReduction: Double? = nil, byteReduction: Double? = nil,
        largestError: Double? = nil
    ) {
        self.parameterReduction = parameterReduction
        self.macReduction = macReduction
        self.byteReduction = byteReduction
        self.largestError = largestError
    }
}

/// What the search chose.
public struct SearchResult: Sendable {
    public var choices: [Choice]
    /// The course of the search, for the report.
    public var steps: [SearchStep]

    public init(choices: [Choice], steps: [SearchStep]) {
        self.choices = choices
        self.steps = steps
    }
}

/// The choice for one layer, in the order of the problem's layers.
public struct Choice: Sendable, Hashable {
    /// `nil`: the layer stays dense.
    public var decomposition: String?
    public var ranks: [Int]
    /// Cost of the layer after the choice, as `SearchLayer.dense`.
    public var cost: Cost
    /// `‖W − Ŵ‖ / ‖W‖` at the choice; 0 when dense.
    public var relativeError: Double

    public init(decomposition: String?, ranks: [Int], cost: Cost, relativeError: Double) {
        self.decomposition = decomposition
        self.ranks = ranks
        self.cost = cost
        self.relativeError = relativeError
    }
}

/// One step of a search for one layer: what could be chosen, how it was weighed, what was taken.
public struct SearchStep: Sendable, Hashable {
    public var step: Int
    public var layer: String
    public var decomposition: String?
    public var candidates: [[Int]]
    /// Probabilities by candidate (`rene`), empty for other methods.
    public var probabilities: [Double]
    /// Multiplier of the budget (`knapsack`: λ, `rene`: μ), `nil` without one.
    public var multiplier: Double?
    public var chosen: [Int]

    public init(
        step: Int, layer: String, decomposition: String?, candidates: [[Int]], probabilities: [Double],
        multiplier: Double?, chosen: [Int]
    ) {
        self.step = step
        self.layer = layer
        self.decomposition = decomposition
        self.candidates = candidates
        self.probabilities = probabilities
        self.multiplier = multiplier
        self.chosen = chosen
    }
}

/// A way to choose ranks. One file and one line in `SearchRegistry` each.
public protocol SearchStrategy: Sendable {
    /// What the user writes after `--search`.
    var id: String { get }
    var summary: String { get }

    /// Throws `search.unreachable` with what can be reached when the budget cannot be met.
    func search(_ problem: SearchProblem, settings: SearchSettings) throws -> SearchResult
}

public struct SearchSettings: Sendable, Hashable {
    /// Candidate ranks are multiples of this; the largest useful rank of a layer is always a candidate.
    public var rankMultiple: Int
    public var seed: UInt64

    public init(rankMultiple: Int = 1, seed: UInt64 = 0) {
        self.rankMultiple = rankMultiple
        self.seed = seed
    }
}
