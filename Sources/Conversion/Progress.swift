/// Where a conversion is; told to whoever shows it.
public struct Progress: Sendable, Hashable {
    public enum Stage: String, Sendable, Hashable, CaseIterable, Codable {
        case reading
        case mapping
        case analysing
        case searching
        case factorizing
        case fineTuning = "fine-tuning"
        case writing
        case verifying
        case publishing
        /// Running models, for `evaluate`, `compare` and `run`.
        case evaluating
    }

    public var stage: Stage
    /// Share of the stage that is done, 0…1.
    public var fraction: Double
    /// What it is at, such as a layer's name.
    public var detail: String

    public init(stage: Stage, fraction: Double, detail: String = "") {
        self.stage = stage
        self.fraction = fraction
        self.detail = detail
    }
}

/// Receives progress; called from several threads.
public typealias ProgressHandler = @Sendable (Progress) -> Void
