internal import ConverterKit
internal import Decompositions
internal import LayerMapping
internal import LinearAlgebra
internal import PluginHost
internal import RankSearch

/// Puts the facts of a job together as its report.
struct ReportWriter {
    let plugins: PluginRegistry
    let settings: ConversionSettings
    let clock: JobClock

    func report(
        plan: ConversionPlan, source: SourceFile, sourceModel: Model, result: SourceFile?, verification: Verification?,
        data: OutputMeter?, fineTuning: FineTuningFacts? = nil
    ) throws -> Report {
        let before = plan.costBefore
        let after = plan.costAfter
        let bytesAfter = result?.bytes ?? (source.bytes - plan.bytesSaved)
        func facts(_ file: SourceFile, parameters: Int, macs: Int) -> ModelFacts {
            ModelFacts(
                path: file.path, sha256: file.digest, bytes: file.bytes, parameters: parameters, macs: macs,
                opset: sourceModel.operatorSetVersion(), irVersion: sourceModel.irVersion)
        }
        return Report(
            started: clock.started, seconds: clock.seconds, seed: settings.seed, threads: settings.threads,
            blasKernel: BLAS.kernelName, settings: settings,
            plugins: plugins.plugins.map { PluginUse(name: $0.name, version: $0.version) },
            source: facts(source, parameters: before.parameters, macs: before.macs),
            result: result.map { facts($0, parameters: after.parameters, macs: after.macs) },
            reduction: ReductionFacts(
                parameters: Self.reduction(before.parameters, after.parameters),
                macs: Self.reduction(before.macs, after.macs), bytes: Self.reduction(source.bytes, bytesAfter)),
            data: data.map { DataFacts(tier: $0.data.tier.rawValue, samples: $0.data.tier == .none ? 0 : $0.samples) }
                ?? DataFacts(tier: "none", samples: 0),
            search: SearchFacts(
                method: settings.search,
                steps: plan.steps.map {
                    StepFacts(
                        step: $0.step, layer: $0.layer, decomposition: $0.decomposition, candidates: $0.candidates,
                        probabilities: $0.probabilities, multiplier: $0.multiplier, chosen: $0.chosen)
                },
                seconds: plan.searchSeconds),
            layers: layers(of: plan, verification: verification),
            fineTuning: fineTuning, verification: verification?.facts,
            notes: ConversionNotes.all(of: plan, settings: settings, verification: verification?.facts))
    }

    private func layers(of plan: ConversionPlan, verification: Verification?) -> [LayerFacts] {
        plan.layers.map { planned in
            let layer = planned.layer
            let factorized = planned.choice.decomposition != nil
            return LayerFacts(
                node: layer.id, kind: layer.operation, decomposition: planned.choice.decomposition,
                rank: planned.choice.ranks, parameters: [layer.dense.parameters, planned.choice.cost.parameters],
                macs: [layer.dense.macs, planned.choice.cost.macs],
                relativeError: factorized ? verification?.errors[layer.id] ?? planned.choice.relativeError : nil,
                reason: planned.reason)
        }
            + plan.map.kept.map { kept in
                LayerFacts(
                    node: kept.id, kind: kept.operation, decomposition: nil, rank: [], parameters: [], macs: [],
                    relativeError: nil, reason: kept.reason.rawValue)
            }
    }

    private static func reduction(_ before: Int, _ after: Int) -> Double {
        before > 0 ? 1 - Double(after) / Double(before) : 0
    }
}

extension ConversionPlan {
    /// Bytes of weights that the plan removes.
    var bytesSaved: Int {
        changed.reduce(0) { saved, planned in
            let element = planned.layer.elementType.byteCount(of: 1) ?? 4
            return saved + (planned.layer.dense.parameters - planned.choice.cost.parameters) * element
        }
    }
}
