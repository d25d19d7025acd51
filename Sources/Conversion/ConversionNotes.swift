internal import Decompositions
internal import LayerMapping
internal import RankSearch

/// Sentences that a reader of the figures needs.
enum ConversionNotes {
    static func all(of plan: ConversionPlan, settings: ConversionSettings, verification: VerificationFacts?) -> [String]
    {
        var notes: [String] = []
        if plan.changed.isEmpty {
            notes.append(
                plan.layers.isEmpty
                    ? "the model has no layer that can be factorized"
                    : "no layer gets smaller in parameters and MACs within the budget")
        }
        if verification?.executed == true {
            if verification?.inputs == "drawn" {
                notes.append(
                    "errors of the outputs were measured on inputs drawn to the graph's inputs, not on data: "
                        + "give some with --data")
            }
        } else {
            let reason =
                verification?.notExecuted.map { "the graph was not executed (\($0))" }
                ?? "the graph was not executed"
            if let bound = ErrorBudget(settings, tier: nil).layerError {
                notes.append(
                    "\(reason): --max-error \(bound) bounds each layer's relative weight error, "
                        + "not the error of the outputs")
            } else {
                notes.append("\(reason): errors are relative weight errors, not errors of the outputs")
            }
        }
        return notes + assumptions(of: plan.map)
    }

    /// What had to be assumed to count MACs.
    static func assumptions(of map: LayerMap) -> [String] {
        var notes: [String] = []
        let assumed = map.cost.assumed.map { "\($0.symbol ?? "axis \($0.axis)") = \($0.extent) of \($0.input)" }
        if !assumed.isEmpty {
            notes.append("MACs assume \(assumed.joined(separator: ", ")); state others with --input-shape")
        }
        if !map.cost.uncounted.isEmpty {
            notes.append(
                "MACs leave out \(map.cost.uncounted.count) nodes whose extents could not be inferred, such as "
                    + map.cost.uncounted[0])
        }
        return notes + map.unmatchedPatterns.map { "no node matches the pattern '\($0)'" }
    }
}
