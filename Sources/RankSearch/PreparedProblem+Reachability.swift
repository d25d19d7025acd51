internal import Decompositions

extension PreparedProblem {
    /// Throws `search.unreachable` if a reduction cannot be had even with the cheapest candidate of each layer.
    func requireReachable() throws {
        let short = resources.indices.contains { smallest($0) > resources[$0].capacity }
        if short { throw unreachable() }
    }

    /// The error that states what can be reached for each budget.
    func unreachable() -> SearchError { unreachable(least: resources.indices.map { smallest($0) }) }

    /// The least that the layers can cost of one resource, whatever the others do.
    private func smallest(_ resource: Int) -> Int {
        layers.reduce(0) { sum, layer in sum + (layer.extremes.map { $0.amounts[resource] }.min() ?? 0) }
    }

    /// `least`: by resource what the layers cost at least.
    func unreachable(least: [Int]) -> SearchError {
        var reachable = Budget(largestError: budget.largestError)
        var parts: [String] = []
        var together = true
        for (index, resource) in resources.enumerated() {
            let dense = layers.reduce(0) { $0 + $1.dense.amounts[index] }
            let saved = dense - least[index]
            let share = resource.total > 0 ? Double(saved) / Double(resource.total) : 0
            switch resource.kind {
            case .parameters: reachable.parameterReduction = share
            case .macs: reachable.macReduction = share
            case .bytes: reachable.byteReduction = share
            }
            if least[index] > resource.capacity { together = false }
            parts.append(
                "\(resource.kind.rawValue): \(percent(resource.asked)) asked, at most \(percent(share)) reachable")
        }
        var message = "the budget cannot be met (" + parts.joined(separator: "; ")
        if let largestError = budget.largestError {
            message += "; with a relative error of each layer of at most \(largestError)"
        }
        message += together ? "; each alone, but not all of them together)" : ")"
        return SearchError(
            code: "search.unreachable", message: message,
            remedy: budget.largestError == nil
                ? "ask for less, or allow more layers or decompositions"
                : "ask for less, allow a larger error, or allow more layers or decompositions",
            reachable: reachable)
    }

    /// Rounded down, so that asking for the figure as printed succeeds.
    private func percent(_ share: Double) -> String {
        let hundredths = Int((share * 10_000 + 1e-9).rounded(.down))
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) %"
    }
}
