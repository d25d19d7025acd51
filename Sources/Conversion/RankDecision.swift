internal import ConverterKit
internal import Decompositions
internal import LayerMapping
internal import LinearAlgebra
internal import RankSearch

/// Decides what becomes of each layer and computes the factors: by the errors of weights alone, or, where the graph can be
/// executed, until the outputs keep within their budget.
struct RankDecision {
    struct Decided {
        var factorized: Factorizer.Result
        var bound: BoundFacts?
        /// `nil` when the model is not executed.
        var meter: OutputMeter?
        /// Why not.
        var refusal: String?
    }

    let settings: ConversionSettings
    let importer: any ModelImporter
    let deadline: Deadline
    let progress: ProgressHandler

    /// The plan by weights alone, for `plan`.
    func plan(_ model: Model, sourceBytes: Int) throws -> ConversionPlan {
        let planner = self.planner(retainsFactors: false)
        return try planner.plan(
            planner.analyse(model, sourceBytes: sourceBytes), layerError: ErrorBudget(settings, tier: nil).layerError)
    }

    /// - Parameter scratch: makes a file that factors are laid aside in; not called before ranks are found.
    func decide(_ model: Model, sourceBytes: Int, scratch: () throws -> ScratchFile) throws -> Decided {
        let planner = self.planner(retainsFactors: true)
        let analysed = try planner.analyse(model, sourceBytes: sourceBytes)
        let (meter, refusal) = try self.meter(of: model, macs: analysed.map.cost.macs)
        let budget = ErrorBudget(settings, tier: meter?.data.tier)
        if settings.maxDrop != nil, budget.drop == nil {
            throw DataError.labels(refusal.map { "--max-drop cannot be kept: \($0)" } ?? "--max-drop needs labels")
        }
        func factorize(_ layerError: Double?) throws -> Factorizer.Result {
            let plan = try planner.plan(analysed, layerError: layerError)
            return try Factorizer(settings: settings, layerError: layerError, deadline: deadline, progress: progress)
                .factorize(model, by: plan, scratch: scratch())
        }
        guard let meter, budget.isMeasured else {
            let bound = budget.layerError.map { BoundFacts(kind: "weights", value: $0, layerError: $0, rounds: 1) }
            return Decided(
                factorized: try factorize(budget.layerError), bound: bound, meter: meter, refusal: refusal)
        }
        if !settings.reduce.isEmpty {
            // The search finds the least error at which the shares hold; no other ranks would do better.
            let factorized = try factorize(nil)
            let measurement = try meter.measure(factorized.model)
            guard budget.holds(measurement, top1Before: meter.top1Before) else {
                throw unreachable(measurement, before: meter.top1Before)
            }
            return Decided(factorized: factorized, bound: facts(budget, layerError: nil, rounds: 1), meter: meter)
        }
        var known: [[Choice]: OutputMeter.Measurement] = [:]
        let found = try BudgetSearch(budget: budget, meter: meter, deadline: deadline).run { layerError in
            let factorized = try factorize(layerError)
            let choices = factorized.plan.layers.map { Choice($0) }
            let measurement = try known[choices] ?? meter.measure(factorized.model)
            known[choices] = measurement
            return .init(factorized: factorized, layerError: layerError, measurement: measurement)
        }
        return Decided(
            factorized: found.attempt.factorized,
            bound: facts(budget, layerError: found.attempt.layerError, rounds: found.rounds), meter: meter)
    }

    /// What became of a layer, to know the same model again.
    private struct Choice: Hashable {
        var decomposition: String?
        var ranks: [Int]

        init(_ layer: PlannedLayer) { (decomposition, ranks) = (layer.choice.decomposition, layer.choice.ranks) }
    }

    private func planner(retainsFactors: Bool) -> Planner {
        BLAS.prepare()
        BLAS.threads = settings.threads
        return Planner(settings: settings, retainsFactors: retainsFactors, deadline: deadline, progress: progress)
    }

    private func meter(of model: Model, macs: Int) throws -> (OutputMeter?, String?) {
        do {
            let meter = try OutputMeter(
                of: model, macs: macs, settings: settings, importer: importer, deadline: deadline
            ) { [progress] in progress(Progress(stage: .searching, fraction: $0, detail: "outputs")) }
            return (meter, nil)
        } catch let refusal as OutputMeter.Refusal {
            return (nil, refusal.reason)
        }
    }

    private func facts(_ budget: ErrorBudget, layerError: Double?, rounds: Int) -> BoundFacts {
        BoundFacts(
            kind: budget.drop == nil ? "outputs" : "top1-drop", value: budget.drop ?? budget.outputError ?? 0,
            layerError: layerError, rounds: rounds)
    }

    private func unreachable(_ measurement: OutputMeter.Measurement, before: Double?) -> ConversionError {
        var found = "a relative error of the outputs of \(ReportText.decimal(measurement.relativeError, 4))"
        if before != nil {
            found += " and \(ReportText.decimal(ErrorBudget.drop(measurement, from: before), 2)) points of top-1"
        }
        return ConversionError(
            "search.unreachable", .badInput, "the shares that --reduce asks for cost \(found), more than is allowed",
            remedy: "Ask for a smaller share, or allow a larger error.")
    }
}
