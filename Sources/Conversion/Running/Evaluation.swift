internal import ConverterKit
internal import LinearAlgebra
public import PluginHost

/// How `evaluate`, `compare` and `run` run models.
public struct RunOptions: Sendable, Hashable {
    public var threads: Int
    public var batchSize: Int
    public var normalize: Normalization?
    public var memoryLimit: Int?
    /// Extents of inputs whose shape is open, for drawn inputs.
    public var inputShapes: [String: [Int]]
    public var seed: UInt64

    public init(
        threads: Int, batchSize: Int = 100, normalize: Normalization? = nil, memoryLimit: Int? = nil,
        inputShapes: [String: [Int]] = [:], seed: UInt64 = 0
    ) {
        self.threads = threads
        self.batchSize = batchSize
        self.normalize = normalize
        self.memoryLimit = memoryLimit
        self.inputShapes = inputShapes
        self.seed = seed
    }
}

/// What `rene evaluate` finds: loss and top-1 of a classifier on labelled data.
public struct Evaluation: Sendable, Codable {
    public var model: String
    public var data: [String]
    public var samples: Int
    /// What the first output is taken for: `logits`, `probabilities` or `log-probabilities`.
    public var scores: String
    /// Mean cross-entropy.
    public var loss: Double
    /// Percent.
    public var top1: Double
    public var correct: Int
    public var seconds: Double
    public var imagesPerSecond: Double
    public var threads: Int

    /// Throws `data.*` for data that do not fit, `data.labels` when there are no labels, `execution.*` for a model that is
    /// not executed.
    public init(
        of path: String, data paths: [String], plugins: PluginRegistry, options: RunOptions,
        progress: ProgressHandler = { _ in }
    ) throws {
        BLAS.prepare()
        progress(Progress(stage: .reading, fraction: 0))
        let importer = try plugins.importer(for: path)
        let model = try importer.importModel(at: path, limits: ImportLimits())
        let data = try LabelledData(paths, for: model, importer: importer, normalization: options.normalize)
        guard let labels = data.labels else { throw DataError.labels("the data have no labels y") }
        let runner = ModelRunner(model, threads: options.threads, memoryLimit: options.memoryLimit)
        var score = ClassifierScore(ScoreKind(of: model))
        let batches = data.batches(of: options.batchSize)
        var preparation = 0.0
        for (index, batch) in batches.enumerated() {
            let before = runner.seconds
            try score.add(runner.run(batch, of: data), labels: labels[batch.range])
            // The first batch also makes the plan.
            if index == 0, batches.count > 1 { preparation = runner.seconds - before }
            progress(Progress(stage: .evaluating, fraction: Double(index + 1) / Double(batches.count)))
        }
        self.model = path
        self.data = paths
        (samples, scores, loss, top1, correct) =
            (score.samples, score.kind.rawValue, score.loss, score.top1, score.correct)
        seconds = runner.seconds
        let timed = batches.count > 1 ? samples - batches[0].range.count : samples
        imagesPerSecond = Double(timed) / max(seconds - preparation, 1e-9)
        threads = options.threads
    }

    /// The figures for people.
    public var text: String {
        """
        top-1      \(ReportText.decimal(top1, 2)) % (\(correct) of \(samples))
        loss       \(ReportText.decimal(loss, 4)) (cross-entropy of \(scores))
        speed      \(ReportText.decimal(imagesPerSecond, 1)) images/s, \(threads) threads
        """
    }
}

/// What `rene compare` finds: how far the outputs of two models are apart on the same inputs.
public struct ModelDifference: Sendable, Codable {
    public struct Output: Sendable, Codable {
        public var name: String
        public var largestAbsolute: Double
        /// Of a single element, against the larger of its size and the root mean square of the output.
        public var largestRelative: Double
        /// `‖y − ŷ‖ / ‖y‖`.
        public var relativeError: Double
    }

    public var original: String
    public var converted: String
    /// Empty for drawn inputs.
    public var data: [String]
    public var samples: Int
    public var outputs: [Output]
    public var largestAbsolute: Double
    public var largestRelative: Double
    /// `‖y − ŷ‖ / ‖y‖` over all outputs together.
    public var relativeError: Double
    /// Percent of the samples with the same first class; `nil` where the first output is no `[N, classes]`.
    public var agreement: Double?
    /// Percent, with labels.
    public var top1Original: Double?
    public var top1Converted: Double?

    public init(
        of original: String, and converted: String, data paths: [String], plugins: PluginRegistry,
        options: RunOptions, progress: ProgressHandler = { _ in }
    ) throws {
        BLAS.prepare()
        progress(Progress(stage: .reading, fraction: 0))
        let importer = try plugins.importer(for: original)
        let first = try importer.importModel(at: original, limits: ImportLimits())
        let second = try plugins.importer(for: converted).importModel(at: converted, limits: ImportLimits())
        let data =
            paths.isEmpty
            ? try SampleInputs(for: first, inputShapes: options.inputShapes, seed: options.seed)
                .data(batches: 4, size: 4)
            : try LabelledData(paths, for: first, importer: importer, normalization: options.normalize)
        let runners = [first, second].map {
            ModelRunner($0, threads: options.threads, memoryLimit: options.memoryLimit)
        }
        var scores = [first, second].map { ClassifierScore(ScoreKind(of: $0)) }
        var difference = OutputDifference()
        let batches = data.batches(of: options.batchSize)
        for (index, batch) in batches.enumerated() {
            let values = try runners.map { try $0.run(batch, of: data) }
            difference.add(values[0], values[1], samples: batch.range.count)
            if let labels = data.labels {
                for model in 0...1 { try scores[model].add(values[model], labels: labels[batch.range]) }
            }
            progress(Progress(stage: .evaluating, fraction: Double(index + 1) / Double(batches.count)))
        }
        (self.original, self.converted, self.data, samples) = (original, converted, paths, data.count)
        outputs = difference.names.compactMap { name in
            difference.outputs[name].map {
                Output(
                    name: name, largestAbsolute: $0.largestAbsolute, largestRelative: $0.largestRelative,
                    relativeError: $0.relativeError)
            }
        }
        largestAbsolute = outputs.map(\.largestAbsolute).max() ?? 0
        largestRelative = outputs.map(\.largestRelative).max() ?? 0
        relativeError = difference.overallError
        agreement = difference.agreement
        if data.labels != nil { (top1Original, top1Converted) = (scores[0].top1, scores[1].top1) }
    }

    /// The figures for people.
    public var text: String {
        var lines = [
            ReportText.padded("output", 24) + ReportText.padded("largest |y-z|", -16)
                + ReportText.padded("relative", -14) + ReportText.padded("||y-z||/||y||", -16)
        ]
        func row(_ name: String, _ absolute: Double, _ relative: Double, _ norm: Double) -> String {
            ReportText.padded(name, 24) + ReportText.padded(ReportText.scientific(absolute), -16)
                + ReportText.padded(ReportText.scientific(relative), -14)
                + ReportText.padded(ReportText.scientific(norm), -16)
        }
        lines += outputs.map { row($0.name, $0.largestAbsolute, $0.largestRelative, $0.relativeError) }
        if outputs.count > 1 { lines.append(row("all", largestAbsolute, largestRelative, relativeError)) }
        let inputs = data.isEmpty ? "\(samples) drawn inputs" : "\(samples) samples"
        if let agreement { lines.append("top-1 agrees on \(ReportText.decimal(agreement, 2)) % of \(inputs)") }
        if let top1Original, let top1Converted {
            lines.append(
                "top-1 \(ReportText.decimal(top1Original, 2)) % -> \(ReportText.decimal(top1Converted, 2)) %")
        }
        if agreement == nil { lines.append("on \(inputs)") }
        return lines.joined(separator: "\n")
    }
}
