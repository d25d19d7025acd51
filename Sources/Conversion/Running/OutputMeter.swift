internal import ConverterKit
internal import Execution

/// Measures how far a changed model's outputs are from the original's, on the user's data or on drawn inputs. The
/// original runs once.
final class OutputMeter {
    struct Measurement: Sendable {
        /// `‖y − ŷ‖ / ‖y‖`, the largest of an output.
        var relativeError: Double
        /// Percent.
        var agreement: Double?
        var top1: Double?
    }

    /// Why a model is not executed, in words.
    struct Refusal: Error {
        var reason: String
    }

    let data: LabelledData
    /// Percent; `nil` without labels.
    let top1Before: Double?
    /// What the original's outputs took.
    let seconds: Double
    private let batches: [LabelledData.Batch]
    private let originals: [[OutputValues]]
    private let kind: ScoreKind
    private let settings: ConversionSettings
    private let deadline: Deadline
    private let progress: @Sendable (Double) -> Void

    /// Samples of the user's data that are run at most; with labels more, since a drop of a point is to be seen.
    private static let (mostSamples, mostLabelled) = (256, 2048)
    /// Multiply-accumulates of one pass over the samples, on data and on drawn inputs.
    private static let (mostMacs, mostDrawnMacs) = (2e11, 2e10)
    private static let (drawnBatches, drawnSize) = (4, 4)
    private static let batchSize = 32
    /// Bytes of weights in single precision up to which a model is executed without a limit being stated: executing holds
    /// all of them, where converting holds a layer at a time.
    private static let mostWeightBytes = 1 << 29
    /// Bytes of the original's outputs that are kept.
    private static let mostOutputBytes = 1 << 28

    /// Runs the original. Throws `Refusal` when the model cannot be executed here, `data.*` when the user's data are bad.
    ///
    /// - Parameter macs: multiply-accumulates of the model for one sample.
    init(
        of model: Model, macs: Int, settings: ConversionSettings, importer: any ModelImporter, deadline: Deadline,
        progress: @escaping @Sendable (Double) -> Void
    ) throws {
        (self.settings, self.deadline, self.progress) = (settings, deadline, progress)
        let perSample = Double(max(macs, 1))
        let weights = model.graph.initializers.reduce(0.0) { $0 + 4 * Double($1.elementCount ?? 0) }
        guard weights <= Double(settings.memoryLimit ?? Self.mostWeightBytes) else {
            throw Refusal(
                reason: "its weights take \(Int(weights / 1e6)) MB in memory; --memory-limit can allow more")
        }
        let paths = settings.validationData.isEmpty ? settings.data : settings.validationData
        if paths.isEmpty {
            let batches = Int(
                min(Double(Self.drawnBatches), max(1, Self.mostDrawnMacs / perSample / Double(Self.drawnSize))))
            do {
                data = try SampleInputs(for: model, inputShapes: settings.inputShapes, seed: settings.seed)
                    .data(batches: batches, size: Self.mostDrawnMacs / perSample < 4 ? 1 : Self.drawnSize)
            } catch let error as ConversionError {
                throw Refusal(reason: error.message)
            }
        } else {
            let all = try LabelledData(paths, for: model, importer: importer, normalization: settings.normalize)
            let most = all.labels == nil ? Self.mostSamples : Self.mostLabelled
            data = all.prefix(min(most, Int(max(8, Self.mostMacs / perSample))))
        }
        kind = ScoreKind(of: model)
        var (kept, outputs): ([LabelledData.Batch], [[OutputValues]]) = ([], [])
        var score = ClassifierScore(kind)
        let runner = ModelRunner(model, threads: settings.threads, memoryLimit: settings.memoryLimit)
        let all = data.batches(of: Self.batchSize)
        var bytes = 0
        for batch in all where bytes < Self.mostOutputBytes {
            if deadline.share > 0.3 { throw Refusal(reason: "executing it would take longer than the time limit") }
            let values: [OutputValues]
            do {
                values = try runner.run(batch, of: data)
            } catch let error as ConversionError where "execution" ~= error {
                throw Refusal(reason: Self.reason(error))
            }
            if let labels = data.labels { try score.add(values, labels: labels[batch.range]) }
            bytes += values.reduce(0) { $0 + 4 * $1.values.count }
            kept.append(batch)
            outputs.append(values)
            progress(Double(kept.count) / Double(all.count))
        }
        (batches, originals, seconds) = (kept, outputs, runner.seconds)
        top1Before = data.labels == nil ? nil : score.top1
        guard outputs.contains(where: { !$0.isEmpty }) else {
            throw Refusal(reason: "it has no output that is a tensor of numbers")
        }
        guard outputs.joined().allSatisfy({ $0.values.allSatisfy { $0.isFinite } }) else {
            throw Refusal(reason: "its outputs are not finite on \(paths.isEmpty ? "drawn inputs" : "the data")")
        }
    }

    static func reason(_ error: ConversionError) -> String {
        error.message + (error.site.node.map { " (node \($0))" } ?? "")
    }

    /// Samples that are run.
    var samples: Int { batches.reduce(0) { $0 + $1.range.count } }

    /// Runs the changed model on the same inputs.
    func measure(_ model: Model) throws -> Measurement {
        let runner = ModelRunner(model, threads: settings.threads, memoryLimit: settings.memoryLimit)
        var difference = OutputDifference()
        var score = ClassifierScore(kind)
        for (index, batch) in batches.enumerated() {
            try deadline.check()
            let values = try runner.run(batch, of: data)
            difference.add(originals[index], values, samples: batch.range.count)
            if let labels = data.labels { try score.add(values, labels: labels[batch.range]) }
            progress(Double(index + 1) / Double(batches.count))
        }
        return Measurement(
            relativeError: difference.relativeError, agreement: difference.agreement,
            top1: data.labels == nil ? nil : score.top1)
    }
}
