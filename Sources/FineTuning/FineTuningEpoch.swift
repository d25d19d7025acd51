/// What a pass over the data came to.
public struct FineTuningEpoch: Codable, Sendable, Hashable {
    public var epoch: Int
    /// Mean over the steps.
    public var loss: Double
    /// Share of the validation samples whose class is right (or, without labels, that of the original); `nil` without any.
    public var top1: Double?
    public var learningRate: Double
    public var seconds: Double
}

/// Where a fine-tuning is.
public struct FineTuningProgress: Sendable {
    public var epoch: Int
    public var epochs: Int
    /// Of the epoch.
    public var fraction: Double
    public var loss: Double
    public var top1: Double?
    public var secondsLeft: Double
}
