internal import Decompositions

/// The ranks that one layer may take under one decomposition: those that beat the dense layer in parameters and in
/// MACs, on a lattice of multiples of the rank multiple whose last value on each axis is the largest useful rank.
///
/// All positions below are indices into this lattice, so an interval of 1 is the rank multiple.
struct RankSpace: Sendable {
    let layer: String
    /// Index into the layer's families.
    let family: Int
    let decomposition: any Decomposition
    let analysis: any RankAnalysis
    let squaredNorm: Double
    let shape: LayerShape
    let dense: Cost
    let elementBytes: Int
    let kinds: [Resource.Kind]
    /// Largest relative error, if there is a bound.
    let largestError: Double?

    /// Ranks where the chain is as large as it can be.
    let largestRanks: [Int]
    /// Candidate values of each rank, ascending.
    let axes: [[Int]]
    /// The largest ranks in the proportion of `largestRanks` that beat the dense layer. With one rank it is the last
    /// value of the axis.
    let largestUseful: [Int]
    /// Whether the analysis has the mixture's error in closed form. Where it has not (CP), each error is a fit, so such
    /// a family is sampled sparsely.
    let isClosedForm: Bool

    /// `nil` when no rank beats the dense layer. Throws `search.non-finite` for a norm that is not finite.
    ///
    /// `kinds`: the resources that `Candidate.amounts` lists.
    init?(
        layer: SearchLayer, family: Int, kinds: [Resource.Kind], rankMultiple: Int, largestError: Double?
    ) throws {
        let member = layer.families[family]
        self.layer = layer.id
        self.family = family
        self.kinds = kinds
        self.largestError = largestError
        decomposition = member.decomposition
        analysis = member.analysis
        shape = layer.shape
        dense = layer.dense
        elementBytes = layer.elementBytes
        squaredNorm = member.analysis.squaredNorm
        guard squaredNorm.isFinite else {
            throw SearchError.nonFinite("the norm", layer: layer.id, decomposition: decomposition.id)
        }
        let largest = member.decomposition.largestRanks(for: layer.shape)
        largestRanks = largest
        guard !largest.isEmpty, largest.allSatisfy({ $0 >= 1 }) else { return nil }
        let ones = largest.map { _ in 1 }
        let pays = { (ranks: [Int]) in
            Self.cost(ranks, of: member.decomposition, in: layer.shape, dense: layer.dense).beats(layer.dense)
        }
        guard pays(ones) else { return nil }
        axes = largest.indices.map { axis in
            let last = Self.last(upTo: largest[axis]) { value in
                var ranks = ones
                ranks[axis] = value
                return pays(ranks)
            }
            var values = Array(stride(from: rankMultiple, through: last, by: rankMultiple))
            if values.last != last { values.append(last) }
            return values
        }
        let longest = largest.max() ?? 1
        let proportional = { (part: Int) in
            largest.map { max(1, Int((Double($0) * Double(part) / Double(longest)).rounded(.down))) }
        }
        largestUseful = proportional(Self.last(upTo: longest) { pays(proportional($0)) })
        isClosedForm = try member.analysis.mixture(of: [largestUseful], probabilities: [1]) != nil
    }

    /// The largest value in 1...`limit` for which a condition that holds at 1 and fails for good from some value on
    /// holds.
    static func last(upTo limit: Int, _ condition: (Int) -> Bool) -> Int {
        var low = 1
        var high = limit
        while low < high {
            let middle = low + (high - low + 1) / 2
            if condition(middle) { low = middle } else { high = middle - 1 }
        }
        return low
    }
}

extension RankSpace {
    /// Cost in place of the layer, over all its uses. MACs scale as the dense layer's do from one use to all of them:
    /// by `uses` when these are alike, and in proportion where they run at different extents.
    static func cost(_ ranks: [Int], of decomposition: any Decomposition, in shape: LayerShape, dense: Cost) -> Cost {
        var chain = decomposition.cost(ranks: ranks, in: shape)
        let single = shape.denseCost.macs
        if single > 0, dense.macs != single {
            let (uses, rest) = dense.macs.quotientAndRemainder(dividingBy: single)
            if rest == 0 {
                let product = chain.macs.multipliedReportingOverflow(by: uses)
                chain.macs = product.overflow ? .max : product.partialValue
            } else {
                let scaled = (Double(chain.macs) * (Double(dense.macs) / Double(single))).rounded(.up)
                chain.macs = Int(exactly: scaled) ?? .max
            }
        }
        return chain
    }

    func cost(_ ranks: [Int]) -> Cost { Self.cost(ranks, of: decomposition, in: shape, dense: dense) }

    /// `‖W − Ŵ(ranks)‖² / ‖W‖²`, 0 for a weight of zeros. Throws `search.non-finite`, or what the analysis throws.
    func error(_ ranks: [Int]) throws -> Double {
        let squared = try analysis.squaredError(ranks: ranks)
        guard squared.isFinite else {
            throw SearchError.nonFinite("the error at rank \(ranks)", layer: layer, decomposition: decomposition.id)
        }
        return squaredNorm > 0 ? max(0, squared) / squaredNorm : 0
    }

    /// The candidate at these ranks; `nil` if it does not beat the dense layer or exceeds the error bound.
    func candidate(_ ranks: [Int]) throws -> Candidate? {
        let cost = cost(ranks)
        guard cost.beats(dense) else { return nil }
        let candidate = Candidate(
            family: family, ranks: ranks, cost: cost, error: try error(ranks),
            amounts: kinds.map { Resource.amount(of: cost, elementBytes: elementBytes, kind: $0) })
        if let largestError, candidate.relativeError > largestError { return nil }
        return candidate
    }
}
