internal import Decompositions

/// One thing a layer may become.
struct Candidate: Sendable {
    /// Index into the layer's families; `nil`: the layer stays dense.
    var family: Int?
    var ranks: [Int]
    /// Cost as `SearchLayer.dense`: parameters once, MACs over all uses.
    var cost: Cost
    /// `‖W − Ŵ‖² / ‖W‖²`.
    var error: Double
    /// `cost` by resource of the problem.
    var amounts: [Int]

    /// `‖W − Ŵ‖ / ‖W‖`.
    var relativeError: Double { error.squareRoot() }
}

extension [Candidate] {
    /// Those that no other one matches or beats in error and in every resource at once, at most `limit` of them: the
    /// cheapest, the dearest, and between them an even pick by cost. Order: by first resource, then error.
    ///
    /// Cost: `O(n²)` comparisons of a few numbers; `n` is at most some hundreds.
    func paretoFront(limit: Int) -> [Candidate] {
        let sorted = self.sorted { left, right in
            if left.amounts != right.amounts { return left.amounts.lexicographicallyPrecedes(right.amounts) }
            if left.error != right.error { return left.error < right.error }
            return left.ranks.lexicographicallyPrecedes(right.ranks)
        }
        var front: [Candidate] = []
        for candidate in sorted {
            // Whatever dominates a candidate sorts before it.
            let dominated = front.contains { other in
                guard other.error <= candidate.error else { return false }
                for index in other.amounts.indices where other.amounts[index] > candidate.amounts[index] {
                    return false
                }
                return true
            }
            if !dominated { front.append(candidate) }
        }
        guard front.count > limit, limit > 1 else { return front }
        return (0..<limit).map { front[$0 * (front.count - 1) / (limit - 1)] }
    }
}
