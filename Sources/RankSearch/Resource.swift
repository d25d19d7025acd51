internal import Decompositions

/// One cost on which a reduction was asked, with the bound that follows from it.
struct Resource: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case parameters
        case macs
        case bytes
    }

    var kind: Kind
    /// Cost of the whole model as it is.
    var total: Int
    /// The reduction as asked, a fraction of `total`.
    var asked: Double
    /// What the layers of the search may cost together after the choice.
    var capacity: Int

    /// `dense`: cost of the search's layers as they are.
    init(kind: Kind, total: Int, asked: Double, dense: Int) {
        self.kind = kind
        self.total = total
        self.asked = asked
        // 0.3 × 10 is 3.0000000000000004: without the tolerance a person who asks for 30 % would have to give 4.
        let exact = asked * Double(total)
        let required = Int((exact - exact * 1e-12).rounded(.up))
        capacity = dense - required
    }

    /// The amount of this resource in a cost.
    static func amount(of cost: Cost, elementBytes: Int, kind: Kind) -> Int {
        switch kind {
        case .parameters: cost.parameters
        case .macs: cost.macs
        case .bytes: cost.parameters * elementBytes
        }
    }
}

extension ModelCost {
    /// The figure of one kind.
    func amount(_ kind: Resource.Kind) -> Int {
        switch kind {
        case .parameters: parameters
        case .macs: macs
        case .bytes: bytes
        }
    }
}

extension Budget {
    /// The reduction of one kind.
    func reduction(_ kind: Resource.Kind) -> Double? {
        switch kind {
        case .parameters: parameterReduction
        case .macs: macReduction
        case .bytes: byteReduction
        }
    }

    /// Throws `search.bad-budget` for fractions outside 0...1 and for a negative or non-finite error bound.
    func validate() throws {
        for kind in Resource.Kind.allCases {
            guard let fraction = reduction(kind) else { continue }
            guard fraction >= 0, fraction <= 1 else {
                throw SearchError(
                    code: "search.bad-budget",
                    message: "the reduction of \(kind.rawValue) is \(fraction), which is no fraction of the model",
                    remedy: "give a share between 0 % and 100 %")
            }
        }
        if let largestError, !(largestError >= 0 && largestError.isFinite) {
            throw SearchError(
                code: "search.bad-budget", message: "the largest error is \(largestError)",
                remedy: "give a relative error of 0 or more, such as 0.02")
        }
    }
}
