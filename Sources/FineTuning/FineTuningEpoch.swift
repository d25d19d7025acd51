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

    /// Of the whole run.
    public var share: Double { (Double(epoch) + fraction) / Double(max(1, epochs)) }

    /// For people: `epoch 3/20, loss 1.234, top-1 88.10 %, 12 min left`.
    public var text: String {
        var text = "epoch \(epoch + 1)/\(epochs), loss \(Self.rounded(loss, 1000))"
        if let top1 { text += ", top-1 \(Self.rounded(100 * top1, 100)) %" }
        let minutes = Int((secondsLeft / 60).rounded(.up))
        return text + (secondsLeft < 90 ? ", \(Int(secondsLeft)) s left" : ", \(minutes) min left")
    }

    private static func rounded(_ value: Double, _ steps: Double) -> Double { (value * steps).rounded() / steps }
}
