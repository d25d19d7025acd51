internal import Glibc

/// The learning rate of each step.
struct LearningRate {
    let schedule: FineTuningSettings.Schedule
    let peak: Double
    let steps: Int

    /// Share of the steps in which a one-cycle schedule rises (Smith & Topin, arXiv 1708.07120).
    static let rise = 0.2

    func rate(at step: Int) -> Double {
        let place = Double(step) / Double(max(1, steps))
        switch schedule {
        case .constant: return peak
        case .cosine: return peak * Self.fall(place)
        case .oneCycle:
            if place < Self.rise { return peak * (0.05 + 0.95 * place / Self.rise) }
            return peak * Self.fall((place - Self.rise) / (1 - Self.rise))
        }
    }

    /// From 1 to a thousandth along half a cosine.
    private static func fall(_ place: Double) -> Double {
        0.001 + 0.999 * 0.5 * (1 + cos(Double.pi * min(max(place, 0), 1)))
    }
}
