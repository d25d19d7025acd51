internal import Glibc

/// How a model is fine-tuned. Defaults are those of `rene convert --fine-tune`.
public struct FineTuningSettings: Sendable, Codable, Hashable {
    public enum Optimizer: String, Sendable, Codable, CaseIterable {
        case sgd, adamw
    }

    public enum Schedule: String, Sendable, Codable, CaseIterable {
        case constant, cosine
        case oneCycle = "one-cycle"
    }

    public enum Normalization: String, Sendable, Codable, CaseIterable {
        /// Batch normalizations take the statistics of the batch, and the stored ones follow.
        case batch
        /// They keep the stored statistics.
        case frozen
    }

    /// Passes over the data.
    public var epochs = 0
    public var batchSize = 128
    public var optimizer = Optimizer.sgd
    /// Of the first step of a constant or cosine schedule, of the peak of a one-cycle schedule; `nil` follows the
    /// share of the parameters that was removed.
    public var learningRate: Double?
    public var momentum = 0.9
    public var weightDecay = 5e-4
    public var schedule = Schedule.oneCycle
    /// Weight of the dissimilarity of layers, λ in `L = L_ce + λ·L_diss`.
    public var lambda = 0.5
    /// Sums the dissimilarity over elements, as the paper writes it, in place of the mean that its authors take.
    public var sumsDissimilarity = false
    /// Share of the distillation from the original's outputs in the loss; the labels have the rest. 1 without labels.
    public var distillation = 0.5
    /// Temperature of the distillation (Hinton et al., arXiv 1503.02531).
    public var temperature = 4.0
    /// Largest Euclidean norm of the gradient of all parameters; 0 for no limit.
    public var clipNorm = 5.0
    /// Images are shifted by up to this many pixels.
    public var crop = 4
    public var flips = true
    public var normalization = Normalization.batch
    /// Ends when the validation score has not become better for so many epochs; 0 never.
    public var patience = 0
    public var seed: UInt64 = 0
    public var threads = 1

    public init() {}

    /// The learning rate for a model that lost this share of its parameters: what is cut deeper is trained harder. The
    /// paper's authors report 1e-5 at 76 % and 1e-2 at 95 % with normalization frozen; with the statistics of the batch,
    /// larger steps are stable.
    public func learningRate(forReduction reduction: Double) -> Double {
        if let learningRate { return learningRate }
        let share = min(max(reduction, 0), 1)
        let (low, high) = normalization == .batch ? (0.005, 0.1) : (1e-4, 1e-2)
        let full = low * (high / low).squareRoot() * Self.power(high / low, share - 0.5)
        return optimizer == .adamw ? full / 20 : full
    }

    private static func power(_ base: Double, _ exponent: Double) -> Double {
        base <= 0 ? 0 : exp2(exponent * log2(base))
    }
}
