internal import Decompositions

/// Which part of a rank space a step of a search looks at.
struct Sampling: Sendable, Hashable {
    /// Distance between candidates by axis, in lattice positions.
    var intervals: [Int]
    /// Ranks in the middle; `nil`: the whole space.
    var centre: [Int]?
    /// How far the step looks to each side of the centre, by axis.
    var reach: [Int]

    /// Whether the step resolves single ranks (or single multiples).
    var isFinest: Bool { intervals.allSatisfy { $0 == 1 } }

    /// METHOD §3: the next space reaches half an interval to each side of what was chosen (`widening` times that), and
    /// the interval shrinks by `factor`, but not below 1.
    func refined(around ranks: [Int], factor: Int, widening: Int) -> Sampling {
        Sampling(
            intervals: intervals.map { max(1, $0 / factor) },
            centre: ranks,
            reach: intervals.map { max(1, $0 * widening / 2) })
    }
}

extension RankSpace {
    /// Most candidates of a family in one step.
    static let candidateLimit = 64

    /// The whole space in about `count` values for one rank, and about `8 · count` pairs (before the dominated ones are
    /// dropped) for several.
    func wholeSpace(count: Int) -> Sampling {
        let several = axes.count > 1
        var perAxis = count
        if several {
            perAxis = 1
            while power(perAxis + 1, axes.count) <= 8 * count { perAxis += 1 }
        }
        return Sampling(
            intervals: axes.map { max(1, ($0.count + perAxis - 1) / perAxis) }, centre: nil,
            reach: axes.map(\.count))
    }

    private func power(_ base: Int, _ exponent: Int) -> Int { (0..<exponent).reduce(1) { value, _ in value * base } }

    /// The candidates of a step: the sampled ranks that pay and keep the error bound, without dominated ones, and
    /// `always` and the centre; at most `limit` in all. Order: by rank.
    ///
    /// Cost: one error of the analysis per sampled rank.
    func candidates(
        _ sampling: Sampling, always: [Candidate], limit: Int = candidateLimit
    ) throws -> [Candidate] {
        var combinations: [[Int]] = [[]]
        for axis in axes.indices {
            let values = indices(onAxis: axis, sampling).map { axes[axis][$0] }
            combinations = combinations.flatMap { head in values.map { head + [$0] } }
        }
        if sampling.centre == nil { combinations.append(largestUseful) }
        var kept = always
        if let centre = sampling.centre, let middle = try candidate(centre) { kept.append(middle) }
        let room = max(2, limit - kept.count)
        var front = try combinations.compactMap { try candidate($0) }.paretoFront(limit: room)
        for candidate in kept where !front.contains(where: { $0.ranks == candidate.ranks }) {
            front.append(candidate)
        }
        return front.sorted { $0.ranks.lexicographicallyPrecedes($1.ranks) }
    }

    private func indices(onAxis axis: Int, _ sampling: Sampling) -> [Int] {
        let count = axes[axis].count
        let interval = sampling.intervals[axis]
        guard let centre = sampling.centre else {
            var indices = Array(stride(from: interval - 1, to: count, by: interval))
            if indices.last != count - 1 { indices.append(count - 1) }
            return indices
        }
        let middle = position(of: centre[axis], onAxis: axis)
        let reach = sampling.reach[axis] / interval
        return (-reach...reach).map { middle + $0 * interval }.filter { (0..<count).contains($0) }
    }

    /// The position of the first lattice value that is not below `value`, or the last.
    func position(of value: Int, onAxis axis: Int) -> Int {
        let values = axes[axis]
        var low = 0
        var high = values.count - 1
        while low < high {
            let middle = (low + high) / 2
            if values[middle] >= value { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The candidates one lattice step above these ranks, a step on one axis each.
    func stepsUp(from ranks: [Int]) throws -> [Candidate] {
        try axes.indices.compactMap { axis in
            guard let next = valuesAbove(ranks[axis], onAxis: axis).first else { return nil }
            var raised = ranks
            raised[axis] = next
            return try candidate(raised)
        }
    }

    /// The candidate with the last rank as large as a bound on the cost allows; `nil` if it cannot grow. One error,
    /// however far it grows.
    func leap(from ranks: [Int], while fits: (Cost) -> Bool) throws -> Candidate? {
        let last = axes.count - 1
        let head = Array(ranks.dropLast())
        let values = valuesAbove(ranks[last], onAxis: last)
        guard let first = values.first, fits(cost(head + [first])) else { return nil }
        let count = Self.last(upTo: values.count) { fits(cost(head + [values[values.startIndex + $0 - 1]])) }
        return try candidate(head + [values[values.startIndex + count - 1]])
    }

    private func valuesAbove(_ rank: Int, onAxis axis: Int) -> ArraySlice<Int> {
        let position = position(of: rank, onAxis: axis)
        return axes[axis][(axes[axis][position] > rank ? position : position + 1)...]
    }
}
