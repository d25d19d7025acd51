public import ConverterKit
internal import Execution
internal import LinearAlgebra

/// Trains a factorized model against labels and against the model that it came from:
///
///     L = (1 − d)·L_ce + d·L_distillation + λ·Σ_i mean ‖O_i − D_i‖²
///
/// Source: Aghababaei-Harandi & Amini, arXiv 2409.03555, §3 (L_ce + λ·L_diss); Hinton et al., arXiv 1503.02531.
public final class FineTuner {
    private let original: Model
    private let student: Model
    private let teacher: Model?
    private let replacedValues: [String]
    private let settings: FineTuningSettings
    private let reduction: Double
    private let checkpointPath: String?
    private let identity: String
    private let progress: @Sendable (FineTuningProgress) -> Void

    /// What a run gave: the model of the best epoch.
    public struct Result {
        public var model: Model
        public var epochs: [FineTuningEpoch]
        public var bestEpoch: Int?
    }

    /// - Parameters:
    ///   - replacedValues: Names of the outputs of the layers that were replaced; both graphs have them.
    ///   - teacher: Another model to distil from, in place of the original.
    ///   - reduction: Share of the parameters that was removed.
    ///   - checkpoint: A file to go on from and to keep the state in; `identity` says what the run is.
    public init(
        student: Model, original: Model, teacher: Model? = nil, replacedValues: [String],
        settings: FineTuningSettings, reduction: Double, checkpoint: String? = nil, identity: String = "",
        progress: @escaping @Sendable (FineTuningProgress) -> Void = { _ in }
    ) {
        (self.student, self.original, self.teacher) = (student, original, teacher)
        (self.replacedValues, self.settings, self.reduction) = (replacedValues, settings, reduction)
        (checkpointPath, self.identity, self.progress) = (checkpoint, identity, progress)
    }

    /// Runs all epochs. `interrupt` is asked after each step and ends the run by throwing.
    ///
    /// - Parameter scoreBefore: Validation score of the student as it is; epochs that do not reach it are not kept.
    public func run(
        on data: Samples, validation: Samples?, scoreBefore: Double? = nil, interrupt: () throws -> Void = {}
    ) throws -> Result {
        guard data.count >= settings.batchSize else {
            throw ConversionError(
                "fine-tuning.too-few-samples", .badInput,
                "\(data.count) samples do not fill a batch of \(settings.batchSize)",
                remedy: "Give more data, or a smaller --batch-size.")
        }
        var session = try Session(self, data)
        let update = WeightUpdate(settings)
        let stepsPerEpoch = data.count / settings.batchSize
        let rate = LearningRate(
            schedule: settings.schedule, peak: settings.learningRate(forReduction: reduction),
            steps: settings.epochs * stepsPerEpoch)
        var log: [FineTuningEpoch] = []
        var best: Checkpoint.Best?
        if let path = checkpointPath, let kept = Checkpoint.read(path, identity: identity) {
            try session.restore(kept)
            update.restore(kept.optimizer.map(\.floats), steps: kept.steps)
            (log, best) = (kept.log, kept.best)
        }
        let clock = ContinuousClock()
        let start = clock.now
        let firstEpoch = log.count
        for epoch in firstEpoch..<max(firstEpoch, settings.epochs) {
            let epochStart = clock.now
            // The order and the moves of an epoch follow from its number: a run that goes on sees the same.
            var generator = SeededGenerator(seed: settings.seed &+ UInt64(epoch) &* 0x9e37_79b9)
            let order = Array(0..<data.count).shuffled(using: &generator)
            var sum = 0.0
            for step in 0..<stepsPerEpoch {
                let indices = order[step * settings.batchSize..<(step + 1) * settings.batchSize]
                let loss = try session.step(indices, &generator)
                guard loss.isFinite else { throw Self.diverged(epoch, step) }
                let norm = update.apply(to: session.plan, rate: rate.rate(at: epoch * stepsPerEpoch + step))
                guard norm.isFinite else { throw Self.diverged(epoch, step) }
                if settings.normalization == .batch { session.plan.followStatistics() }
                sum += Double(loss)
                try interrupt()
                if step % 10 == 0 {
                    let done = Double(epoch - firstEpoch) + Double(step + 1) / Double(stepsPerEpoch)
                    let spent = start.duration(to: clock.now) / .seconds(1)
                    progress(
                        FineTuningProgress(
                            epoch: epoch, epochs: settings.epochs, fraction: Double(step + 1) / Double(stepsPerEpoch),
                            loss: sum / Double(step + 1), top1: log.last?.top1,
                            secondsLeft: spent / done * (Double(settings.epochs - firstEpoch) - done)))
                }
            }
            let model = try session.model()
            let score = try validation.map { try self.score(model, on: $0) }
            log.append(
                FineTuningEpoch(
                    epoch: epoch + 1, loss: sum / Double(stepsPerEpoch), top1: score,
                    learningRate: rate.rate(at: epoch * stepsPerEpoch),
                    seconds: epochStart.duration(to: clock.now) / .seconds(1)))
            if score == nil || score ?? 0 >= max(best?.score ?? -1, scoreBefore ?? -1) {
                best = session.best(score: score ?? 0, epoch: epoch + 1)
            }
            if let path = checkpointPath {
                try session.checkpoint(identity, epoch: epoch + 1, update, best: best, log).write(path)
            }
            if settings.patience > 0, let best, epoch + 1 - best.epoch >= settings.patience { break }
        }
        guard let best else { return Result(model: student, epochs: log, bestEpoch: nil) }
        let weights = best.weights.mapValues(\.floats).merging(best.statistics) { first, _ in first }
        return Result(model: try student.withWeights(weights), epochs: log, bestEpoch: best.epoch)
    }

    /// Share of the samples whose class is right, or without labels, that of the original.
    public func score(_ model: Model, on data: Samples) throws -> Double {
        let wanted: [Int64]
        if let labels = data.labels {
            wanted = labels
        } else {
            wanted = try Predictions(teacher ?? original, threads: settings.threads).classes(data)
        }
        let classes = try Predictions(model, threads: settings.threads).classes(data)
        let right = zip(classes, wanted).reduce(0) { $0 + ($1.0 == $1.1 ? 1 : 0) }
        return Double(right) / Double(max(1, wanted.count))
    }

    private static func diverged(_ epoch: Int, _ step: Int) -> ConversionError {
        ConversionError(
            "fine-tuning.diverged", .badInput, "the loss is no number at step \(step) of epoch \(epoch + 1)",
            remedy: "Give a smaller --learning-rate.")
    }

    // MARK: - One run

    /// The graph of a step, with its data.
    private struct Session {
        let plan: TrainingPlan
        private let tuner: FineTuner
        private let data: Samples
        private let images: TrainingGraph.Value
        private let labels: TrainingGraph.Value?
        private let shape: [Int]
        private var buffer: [Float]
        private let augmentation: Augmentation?

        init(_ tuner: FineTuner, _ data: Samples) throws {
            self.tuner = tuner
            self.data = data
            let settings = tuner.settings
            let graph = TrainingGraph(threads: settings.threads)
            shape = [settings.batchSize] + data.shape
            let images = try graph.input("images", type: .float32, shape: shape)
            self.images = images
            let student = try graph.add(
                tuner.student, inputs: [Self.inputName(tuner.student): images],
                mode: .init(
                    trained: tuner.student.trainableNames, normalizesByBatch: settings.normalization == .batch))
            let original = try graph.add(tuner.original, inputs: [Self.inputName(tuner.original): images])
            let teacher = try tuner.teacher.map { try graph.add($0, inputs: [Self.inputName($0): images]) } ?? original
            let logits = try Self.logits(tuner.student, student)
            let losses = Losses(graph: graph)
            var loss: TrainingGraph.Value?
            let share = data.labels == nil ? 1 : settings.distillation
            if data.labels != nil, share < 1 {
                let labels = try graph.input("labels", type: .int64, shape: [settings.batchSize])
                loss = try losses.sum(nil, graph.crossEntropy(logits, labels: labels), times: 1 - share)
                self.labels = labels
            } else {
                labels = nil
            }
            if share > 0 {
                let wanted = try Self.logits(tuner.teacher ?? tuner.original, teacher)
                loss = try losses.sum(
                    loss, losses.distillation(student: logits, teacher: wanted, temperature: settings.temperature),
                    times: share)
            }
            if settings.lambda > 0 {
                let pairs = tuner.replacedValues.compactMap { name in
                    student(name).flatMap { own in original(name).map { ($0, own) } }
                }
                loss = try losses.sum(
                    loss, losses.dissimilarity(pairs, sums: settings.sumsDissimilarity), times: settings.lambda)
            }
            guard let loss else {
                throw ConversionError(
                    "fine-tuning.no-loss", .usage, "there is nothing to train against",
                    remedy: "Give labels, or leave --distillation and --lambda above zero.")
            }
            plan = try graph.compiled(loss: loss)
            buffer = [Float](repeating: 0, count: shape.reduce(1, *))
            augmentation =
                data.areImages && (settings.crop > 0 || settings.flips)
                ? Augmentation(crop: settings.crop, flips: settings.flips) : nil
        }

        private static func inputName(_ model: Model) throws -> String {
            let stored = Set(model.graph.initializers.compactMap(\.name))
            let names = model.graph.inputs.compactMap(\.name).filter { !stored.contains($0) }
            guard names.count == 1 else {
                throw ConversionError(
                    "fine-tuning.inputs", .badInput, "fine-tuning wants a model of one input, this has \(names.count)",
                    remedy: "Convert without --fine-tune.")
            }
            return names[0]
        }

        /// The first output of a classifier; of a Softmax at its end the input.
        private static func logits(_ model: Model, _ values: (String) -> TrainingGraph.Value?) throws
            -> TrainingGraph.Value
        {
            guard var name = model.graph.outputs.first?.name else {
                throw ConversionError(
                    "fine-tuning.outputs", .badInput, "the model has no output", remedy: "Export the model again.")
            }
            if let maker = model.graph.nodes.last(where: { $0.outputs.contains(name) }),
                maker.operation == "Softmax" || maker.operation == "LogSoftmax", let input = maker.inputs.first
            {
                name = input
            }
            guard let value = values(name) else {
                throw ConversionError(
                    "fine-tuning.outputs", .badInput, "the output \(name) is not computed",
                    remedy: "Convert without --fine-tune.")
            }
            return value
        }

        mutating func step(_ indices: ArraySlice<Int>, _ generator: inout SeededGenerator) throws -> Float {
            data.fill(&buffer, indices, augmentation?.moves(indices.count, &generator))
            try plan.set(images, to: TensorValue(buffer, shape: shape))
            if let labels, let all = data.labels {
                try plan.set(labels, to: TensorValue(indices.map { all[$0] }, shape: [indices.count]))
            }
            return try plan.step()
        }

        private var weights: [String: [Float]] {
            get throws {
                var all: [String: [Float]] = [:]
                for name in plan.parameterNames { all[name] = try plan.parameter(name)?.floats() }
                return all
            }
        }

        func model() throws -> Model {
            try tuner.student.withWeights(weights.merging(plan.statistics) { first, _ in first })
        }

        func best(score: Double, epoch: Int) -> Checkpoint.Best? {
            guard let weights = try? weights else { return nil }
            return Checkpoint.Best(
                score: score, epoch: epoch, weights: weights.mapValues { .init(floats: $0) },
                statistics: plan.statistics)
        }

        func checkpoint(
            _ identity: String, epoch: Int, _ update: WeightUpdate, best: Checkpoint.Best?, _ log: [FineTuningEpoch]
        ) throws -> Checkpoint {
            Checkpoint(
                identity: identity, epoch: epoch, steps: update.steps,
                weights: try weights.mapValues { .init(floats: $0) }, statistics: plan.statistics,
                optimizer: update.state.map { .init(floats: $0) }, best: best, log: log)
        }

        func restore(_ kept: Checkpoint) throws {
            for (name, data) in kept.weights {
                guard let shape = try plan.parameter(name)?.shape else { continue }
                try plan.setParameter(name, to: TensorValue(data.floats, shape: shape))
            }
            plan.setStatistics(kept.statistics)
        }
    }
}

/// Classes that a model gives samples.
struct Predictions {
    private let executor: GraphExecutor
    private let input: String
    private let output: String
    static let batch = 128

    init(_ model: Model, threads: Int) throws {
        executor = GraphExecutor(model, threads: threads)
        guard let input = executor.inputNames.first, let output = executor.outputNames.first else {
            throw ConversionError(
                "fine-tuning.outputs", .badInput, "the model has no input or output", remedy: "Export the model again.")
        }
        (self.input, self.output) = (input, output)
    }

    func classes(_ data: Samples) throws -> [Int64] {
        var classes: [Int64] = []
        for start in stride(from: 0, to: data.count, by: Self.batch) {
            let range = start..<min(start + Self.batch, data.count)
            guard let result = try executor.run([input: .tensor(data.tensor(range))])[output] else { continue }
            let values = try result.tensor().floats()
            let width = values.count / max(1, range.count)
            for row in 0..<range.count {
                let scores = values[row * width..<(row + 1) * width]
                classes.append(
                    Int64(scores.indices.max { scores[$0] < scores[$1] }.map { $0 - scores.startIndex } ?? 0))
            }
        }
        return classes
    }
}
