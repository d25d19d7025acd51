internal import Decompositions

/// The states of a layer along one parameter, from its smallest ranks up to dense, for the manual choices.
struct RankPath: Sendable {
    /// Ranks by state, growing; the state after the last is the dense layer.
    var states: [[Int]]
    /// The parameter up to which a state is taken, growing with the state.
    var thresholds: [Double]

    /// States of the first family of a layer at which each rank is the same share of its largest rank, the thresholds
    /// being these shares. Where no such ranks lie on the lattice: the largest useful ranks alone.
    init(sharesOf space: RankSpace) {
        states = []
        thresholds = []
        var shares: [Double] = []
        for axis in space.axes.indices {
            shares += space.axes[axis].map { Double($0) / Double(space.largestRanks[axis]) }
        }
        shares.sort()
        for share in shares where share > thresholds.last ?? 0 {
            let ranks = space.axes.indices.map { axis in
                let wanted = share * Double(space.largestRanks[axis])
                // Shares are quotients of ranks: the tolerance undoes their rounding.
                let least = Int((wanted - 1e-9).rounded(.up))
                let value = space.axes[axis][space.position(of: least, onAxis: axis)]
                return value >= least ? value : Int.max
            }
            guard !ranks.contains(.max), space.cost(ranks).beats(space.dense) else { break }
            if ranks == states.last {
                thresholds[thresholds.count - 1] = share
            } else {
                states.append(ranks)
                thresholds.append(share)
            }
        }
        if states.isEmpty {
            states = [space.largestUseful]
            let share = zip(space.largestUseful, space.largestRanks).map { Double($0) / Double($1) }.max() ?? 1
            thresholds = [share]
        }
    }

    /// The same states with the energy that each retains, `1 − ‖W − Ŵ‖²/‖W‖²`, as threshold. `sparse`: at most so many
    /// states, the ends among them, because each costs a fit.
    init(energiesOf space: RankSpace, sparse: Int) throws {
        self.init(sharesOf: space)
        if !space.isClosedForm, states.count > sparse {
            let last = states.count - 1
            states = (0..<sparse).map { states[$0 * last / (sparse - 1)] }
        }
        var retained = 0.0
        thresholds = try states.map { ranks in
            retained = max(retained, 1 - (try space.error(ranks)))
            return retained
        }
    }

    /// The first state that keeps an error bound, or the number of states. Errors fall along the path.
    func firstState(of space: RankSpace, within largestError: Double?) throws -> Int {
        guard let largestError else { return 0 }
        var low = 0
        var high = states.count
        while low < high {
            let middle = (low + high) / 2
            if try space.error(states[middle]).squareRoot() <= largestError { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
