public import FineTuning

/// What a conversion did, as `NAME.report.json` has it (Schemas/report.schema.json). Encoded keys are in snake case.
public struct Report: Sendable, Codable {
    public var tool = "rene"
    public var version = Version.current
    /// Start of the conversion, ISO 8601 in UTC.
    public var started: String
    public var seconds: Double
    public var seed: UInt64
    public var threads: Int
    public var blasKernel: String
    public var settings: ConversionSettings
    public var plugins: [PluginUse]
    public var source: ModelFacts
    /// `nil` in a plan, which writes no model.
    public var result: ModelFacts?
    public var reduction: ReductionFacts
    public var data: DataFacts
    public var search: SearchFacts
    public var layers: [LayerFacts]
    public var fineTuning: FineTuningFacts?
    public var verification: VerificationFacts?
    /// Path of the published model that this one is a copy of: the same content was converted with the same settings
    /// before, and all figures are those of that conversion.
    public var copyOf: String?
    /// What the reader must know about the figures.
    public var notes: [String]
}

public struct PluginUse: Sendable, Codable, Hashable {
    public var name: String
    public var version: String
}

/// One file of a model and what it costs.
public struct ModelFacts: Sendable, Codable, Hashable {
    public var path: String
    public var sha256: String
    /// Size of the model file and of its data files.
    public var bytes: Int
    public var parameters: Int
    public var macs: Int
    public var opset: Int64?
    public var irVersion: Int64?
}

/// Fractions of the source that are gone.
public struct ReductionFacts: Sendable, Codable, Hashable {
    public var parameters: Double
    public var macs: Double
    public var bytes: Double
}

public struct DataFacts: Sendable, Codable, Hashable {
    /// `none`, `unlabelled` or `labelled`.
    public var tier: String
    public var samples: Int
}

public struct SearchFacts: Sendable, Codable, Hashable {
    public var method: String
    public var steps: [StepFacts]
    public var seconds: Double
}

/// The course of the fine-tuning.
public struct FineTuningFacts: Sendable, Codable, Hashable {
    public var samples: Int
    /// Validation samples, none of which was trained on.
    public var validationSamples: Int
    /// Share of the validation samples whose class was right (without labels, the original's) before it.
    public var top1Before: Double?
    public var epochs: [FineTuningEpoch]
    /// The epoch whose weights were kept; 0 when none was better than the factorized model.
    public var bestEpoch: Int
    public var learningRate: Double
    public var seconds: Double
}

public struct StepFacts: Sendable, Codable, Hashable {
    public var step: Int
    public var layer: String
    public var decomposition: String?
    public var candidates: [[Int]]
    public var probabilities: [Double]
    public var multiplier: Double?
    public var chosen: [Int]
}

/// What became of one layer.
public struct LayerFacts: Sendable, Codable, Hashable {
    public var node: String
    public var kind: String
    /// `nil` when the layer stayed.
    public var decomposition: String?
    public var rank: [Int]
    /// Before and after.
    public var parameters: [Int]
    public var macs: [Int]
    /// `‖W − Ŵ‖ / ‖W‖`, of the weight as it is or with balanced channels (`ChannelBalance`), whichever is larger; in a
    /// written model measured on the factors as they were written.
    public var relativeError: Double?
    /// Stable code of the reason why the layer stayed.
    public var reason: String?
}

public struct VerificationFacts: Sendable, Codable, Hashable {
    /// `passed`, `not-applicable` (the checker does not know this IR version or opset) or `unavailable`.
    public var checker: String
    /// The written file was read again and every part that was not factorized found as it was.
    public var readBack: Bool
    /// Whether original and result were run side by side.
    public var executed: Bool
    /// Why they were not.
    public var notExecuted: String?
    /// What they were run on: `data` or `drawn`.
    public var inputs: String?
    /// `‖y − ŷ‖ / ‖y‖`, the largest of an output.
    public var relativeOutputError: Double?
    /// Percent.
    public var top1Before: Double?
    public var top1After: Double?
    public var agreement: Double?
    /// Largest relative weight error of a factorized layer, measured on the written factors.
    public var largestRelativeWeightError: Double
    /// What the ranks had to keep to; `nil` where only shares of the model were asked for.
    public var bound: BoundFacts?
}

/// A bound on errors, and how it was kept.
public struct BoundFacts: Sendable, Codable, Hashable {
    /// `outputs`: the relative error of the outputs; `top1-drop`: points of top-1; `weights`: each layer's relative weight
    /// error, where the graph is not executed.
    public var kind: String
    public var value: Double
    /// The bound on the layers' relative weight errors under which the ranks were found.
    public var layerError: Double?
    /// How often ranks were searched, factors computed and the outputs measured.
    public var rounds: Int
}
