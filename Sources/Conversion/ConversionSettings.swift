public import FineTuning

/// What the user asks of a conversion: the options of `convert`, `plan` and `batch`, and the keys of the settings file.
public struct ConversionSettings: Sendable, Hashable, Codable {
    /// Names of `DecompositionRegistry`, or `auto`.
    public var decomposition: [String] = ["auto"]
    /// A name of `SearchRegistry`.
    public var search = "rene"
    /// Shares of the whole model to remove, all of which must hold.
    public var reduce: [Reduction] = []
    /// Largest relative error of the outputs, `‖y − ŷ‖ / ‖y‖`; of each layer's weight where the graph is not executed.
    public var maxError: Double?
    /// Largest drop of top-1 in points; needs labels.
    public var maxDrop: Double?
    /// Files of data, or folders of ONNX's test data sets.
    public var data: [String] = []
    /// What errors and top-1 are measured on; without it `data`.
    public var validationData: [String] = []
    /// Of integer images; without it the model's metadata decide.
    public var normalize: Normalization?
    public var rankMultiple = 1
    /// How the result is fine-tuned; no epochs, no fine-tuning.
    public var fineTuning = FineTuningSettings()
    /// Another model to distil from, in place of the original.
    public var teacher: String?
    /// Patterns of layers to take although they are kept by default, and of layers to keep.
    public var include: [String] = []
    public var exclude: [String] = []
    /// Ranks set by hand, by layer.
    public var ranks: [String: [Int]] = [:]
    /// Extents for inputs whose shape the model leaves open.
    public var inputShapes: [String: [Int]] = [:]
    public var seed: UInt64 = 0
    public var threads = 1
    /// Seconds after which the conversion is given up.
    public var timeLimit: Double?
    /// Bytes that one layer's numerics may take; a layer that needs more stays as it is.
    public var memoryLimit: Int?
    /// The exporter's name.
    public var format = "onnx"
    /// Replaces existing output files.
    public var overwrite = false
    /// Factorizes every layer at its largest rank, though nothing is saved: shows that the chains are exact.
    public var fullRank = false

    public init() {}
}

/// A share of the model to remove.
public struct Reduction: Sendable, Hashable, Codable {
    public enum Quantity: String, Sendable, Hashable, Codable, CaseIterable {
        case params
        case macs
        case bytes
    }

    public var quantity: Quantity
    /// Between 0 and 1.
    public var share: Double

    public init(_ quantity: Quantity, _ share: Double) {
        self.quantity = quantity
        self.share = share
    }

    /// Reads `params=50%` or `params=0.5`; `nil` if the text is neither or the share is not within 0…1.
    public init?(parsing text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let quantity = Quantity(rawValue: String(parts[0])) else { return nil }
        let percent = parts[1].hasSuffix("%")
        guard let number = Double(percent ? parts[1].dropLast() : parts[1]) else { return nil }
        let share = percent ? number / 100 : number
        guard share >= 0, share < 1 else { return nil }
        self.init(quantity, share)
    }
}
