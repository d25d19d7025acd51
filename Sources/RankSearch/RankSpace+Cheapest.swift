extension RankSpace {
    /// The candidates of which one is the cheapest, whatever the price of parameters and MACs: no rank of them can be
    /// lowered. Without a bound on the error that is the smallest rank alone; with one, the staircase of ranks that
    /// just keep it. Empty if none that pays keeps it.
    ///
    /// Relies on errors that fall with each rank. Cost: `log n` errors for one rank, `n₁ + n₂` for two, `log n` for
    /// each combination of all ranks but the last for more.
    func cheapest() throws -> [Candidate] {
        let last = axes.count - 1
        var heads: [[Int]] = [[]]
        for axis in axes.indices.dropLast() {
            let values = largestError == nil ? [axes[axis][0]] : axes[axis]
            heads = heads.flatMap { head in values.map { head + [$0] } }
        }
        var found: [Candidate] = []
        var position = axes[last].count
        for head in heads {
            if axes.count == 2, position < axes[last].count {
                // A larger first rank needs no larger second one.
                while position > 0, try isWithinBound(head + [axes[last][position - 1]]) { position -= 1 }
            } else {
                position = try firstWithinBound(head)
            }
            guard position < axes[last].count else { continue }
            if let candidate = try candidate(head + [axes[last][position]]) { found.append(candidate) }
        }
        // With several ranks it need not be on the lattice.
        if found.isEmpty, let candidate = try candidate(largestUseful) { found.append(candidate) }
        return found
    }

    private func isWithinBound(_ ranks: [Int]) throws -> Bool {
        guard let largestError else { return true }
        return try error(ranks).squareRoot() <= largestError
    }

    /// The first position on the last axis whose ranks keep the bound, or the number of positions if none does.
    private func firstWithinBound(_ head: [Int]) throws -> Int {
        let values = axes[axes.count - 1]
        var low = 0
        var high = values.count
        while low < high {
            let middle = (low + high) / 2
            if try isWithinBound(head + [values[middle]]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
