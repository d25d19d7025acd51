internal import ConverterKit

/// What a conversion must keep to, and what of it is measured how.
struct ErrorBudget: Sendable {
    /// Largest `‖y − ŷ‖ / ‖y‖` of the outputs.
    var outputError: Double?
    /// Largest drop of top-1, in points.
    var drop: Double?
    /// Largest relative error of a layer's weight, where the graph is not executed.
    var layerError: Double?

    /// The budget where the user gives none: 0.02 without data, 0.05 on data without labels, a point of top-1 with labels.
    static let (withoutData, unlabelled, labelled) = (0.02, 0.05, 1.0)

    /// - Parameter tier: of the data that the outputs are measured on; `nil` when the graph is not executed.
    init(_ settings: ConversionSettings, tier: LabelledData.Tier?) {
        if settings.fullRank { return }
        let isOpen = settings.maxError == nil && settings.maxDrop == nil && settings.reduce.isEmpty
        switch tier {
        case nil: layerError = settings.maxError ?? (settings.reduce.isEmpty ? Self.withoutData : nil)
        case .some(.none): outputError = settings.maxError ?? (isOpen ? Self.withoutData : nil)
        case .unlabelled: outputError = settings.maxError ?? (isOpen ? Self.unlabelled : nil)
        case .labelled:
            outputError = settings.maxError
            drop = settings.maxDrop ?? (isOpen ? Self.labelled : nil)
        }
    }

    /// True when the outputs are bounded.
    var isMeasured: Bool { outputError != nil || drop != nil }

    /// Points of top-1 that are lost.
    static func drop(_ measurement: OutputMeter.Measurement, from before: Double?) -> Double {
        guard let before, let after = measurement.top1 else { return 0 }
        return before - after
    }

    func holds(_ measurement: OutputMeter.Measurement, top1Before: Double?) -> Bool {
        guard measurement.relativeError.isFinite else { return false }
        if let outputError, measurement.relativeError > outputError { return false }
        // Percentages are quotients: a hair above is rounding.
        if let drop, Self.drop(measurement, from: top1Before) > drop + 1e-9 { return false }
        return true
    }
}
