internal import ConverterKit

/// Finds the largest error of the layers' weights at which the outputs keep within their budget. Each round searches,
/// factorizes and executes in memory; nothing is written before one holds.
struct BudgetSearch {
    /// A round's model with what was measured of it.
    struct Attempt {
        var factorized: Factorizer.Result
        var layerError: Double
        var measurement: OutputMeter.Measurement
    }

    struct Found {
        var attempt: Attempt
        var rounds: Int
    }

    let budget: ErrorBudget
    let meter: OutputMeter
    let deadline: Deadline
    /// The weights' error that a drop alone starts from.
    private static let firstLayerError = 0.1
    private static let mostRounds = 8
    private static let largestLayerError = 0.9

    init(budget: ErrorBudget, meter: OutputMeter, deadline: Deadline) {
        (self.budget, self.meter, self.deadline) = (budget, meter, deadline)
    }

    /// - Parameter attempt: factorizes with the layers' errors bounded, and measures.
    func run(_ attempt: (Double) throws -> Attempt) throws -> Found {
        // Drawn inputs are no data: on them the error of a layer is never let above what was asked for.
        let mayGrow = meter.data.tier != .none
        var (low, high, best): (Double, Double?, Attempt?) = (0, nil, nil)
        var bound = min(budget.outputError ?? Self.firstLayerError, Self.largestLayerError)
        var round = 0
        while round < Self.mostRounds, best == nil || deadline.share < 0.5 {
            round += 1
            let made = try attempt(bound)
            if budget.holds(made.measurement, top1Before: meter.top1Before) {
                (low, best) = (bound, made)
                if high == nil, !mayGrow || bound >= Self.largestLayerError { break }
                if isNearLimit(made.measurement) { break }
            } else {
                high = bound
            }
            guard let next = next(after: bound, made.measurement, low: low, high: high) else { break }
            bound = next
        }
        if let best { return Found(attempt: best, rounds: round) }
        return Found(attempt: try attempt(0), rounds: round)
    }

    /// What is left of the budget is not worth another round.
    private func isNearLimit(_ measurement: OutputMeter.Measurement) -> Bool {
        budget.outputError.map { measurement.relativeError > 0.9 * $0 } ?? false
    }

    private func next(
        after bound: Double, _ measurement: OutputMeter.Measurement, low: Double, high: Double?
    ) -> Double? {
        guard let high else { return bound > 0 ? min(2 * bound, Self.largestLayerError) : nil }
        guard high > 0, high - low > 0.04 * high else { return nil }
        let middle = low > 0 ? (low * high).squareRoot() : high / 2
        // Outputs' errors are about proportional to the weights'.
        guard let limit = budget.outputError, budget.drop == nil, measurement.relativeError > 0,
            measurement.relativeError.isFinite
        else { return middle }
        let guess = 0.97 * bound * limit / measurement.relativeError
        // In steps, so that the rounding of the outputs, which differs with the number of threads, does not matter.
        let bounded = min(max(guess, low + 0.1 * (high - low)), high - 0.1 * (high - low))
        return (bounded * 1e4).rounded() / 1e4 > low ? (bounded * 1e4).rounded() / 1e4 : bounded
    }
}
