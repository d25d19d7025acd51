internal import ConverterKit
internal import Decompositions
internal import FineTuning
internal import Glibc
internal import PluginHost

/// Fine-tunes a factorized model on the user's data, between factorization and writing.
struct FineTuningStage {
    struct Outcome {
        var model: Model
        var facts: FineTuningFacts
        fileprivate var checkpoint: String

        /// The state of the run, once its result is published.
        func removeCheckpoint() { unsafe unlink(checkpoint) }
    }

    let settings: ConversionSettings
    let plugins: PluginRegistry
    let limits: ImportLimits
    let deadline: Deadline
    let progress: ProgressHandler
    /// A file that a run which was killed goes on from.
    let checkpoint: String

    /// Share of the data that is held out where no validation data are given.
    private static let heldOut = 0.1

    /// `nil` when no fine-tuning is asked for, or nothing was factorized.
    func run(on factorized: Factorizer.Result, original: Model) throws -> Outcome? {
        guard settings.fineTuning.epochs > 0, !factorized.plan.changed.isEmpty else { return nil }
        guard !settings.data.isEmpty else {
            throw ConversionError(
                "fine-tuning.no-data", .usage, "fine-tuning needs data",
                remedy: "Give --data, or leave --fine-tune out.")
        }
        let clock = ContinuousClock()
        let start = clock.now
        var (data, validation) = (try samples(settings.data, for: original), Samples?.none)
        if settings.validationData.isEmpty {
            (data, validation) = data.splitting(share: Self.heldOut, seed: settings.seed)
        } else {
            validation = try samples(settings.validationData, for: original)
        }
        var tuning = settings.fineTuning
        (tuning.seed, tuning.threads) = (settings.seed, settings.threads)
        let before = factorized.plan.costBefore
        let reduction = 1 - Double(factorized.plan.costAfter.parameters) / Double(max(1, before.parameters))
        let teacher = try settings.teacher.map { path in
            try plugins.importer(for: path).importModel(at: path, limits: limits)
        }
        let tuner = FineTuner(
            student: factorized.model, original: original, teacher: teacher,
            replacedValues: Self.replacedValues(factorized.model, original), settings: tuning, reduction: reduction,
            checkpoint: checkpoint, identity: try settings.digest() + Self.identity(factorized.model)
        ) { [progress] state in
            progress(Progress(stage: .fineTuning, fraction: state.share, detail: state.text))
        }
        let before1 = try validation.map { try tuner.score(factorized.model, on: $0) }
        let result = try tuner.run(on: data, validation: validation, scoreBefore: before1) { try deadline.check() }
        return Outcome(
            model: result.model,
            facts: FineTuningFacts(
                samples: data.count, validationSamples: validation?.count ?? 0, top1Before: before1,
                epochs: result.epochs, bestEpoch: result.bestEpoch ?? 0,
                learningRate: tuning.learningRate(forReduction: reduction),
                seconds: start.duration(to: clock.now) / .seconds(1)), checkpoint: checkpoint)
    }

    private func samples(_ paths: [String], for model: Model) throws -> Samples {
        try LabelledData(
            paths, for: model, importer: plugins.importer(for: model.path), normalization: settings.normalize
        ).samples()
    }

    /// Outputs that both graphs have and compute from other weights.
    private static func replacedValues(_ student: Model, _ original: Model) -> [String] {
        let own = Dictionary(
            student.graph.nodes.compactMap { node in node.outputs.first.map { ($0, node.inputs) } },
            uniquingKeysWith: { first, _ in first })
        return original.graph.nodes.compactMap { node in
            guard let name = node.outputs.first, let inputs = own[name], inputs != node.inputs else { return nil }
            return name
        }
    }

    /// The names and extents of the weights: a state of other ranks is not gone on from.
    private static func identity(_ model: Model) -> String {
        model.graph.initializers.map { "\($0.name ?? "")\($0.shape)" }.joined()
    }
}
