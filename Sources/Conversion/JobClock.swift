internal import ConverterKit
internal import FoundationEssentials

/// When a conversion began and when it must end.
struct JobClock: Sendable {
    /// Start in ISO 8601, UTC.
    let started = Date.now.ISO8601Format()
    let deadline: Deadline
    private let start = ContinuousClock.now

    init(timeLimit: Double?) { deadline = Deadline(seconds: timeLimit) }

    var seconds: Double { start.duration(to: .now) / .seconds(1) }
}

/// The moment a conversion is given up, asked for between steps.
struct Deadline: Sendable {
    private let end: ContinuousClock.Instant?
    private let seconds: Double
    private let start = ContinuousClock.now

    init(seconds: Double?) {
        self.seconds = seconds ?? 0
        end = seconds.map { ContinuousClock.now + .seconds($0) }
    }

    /// The share of the time that is over; 0 without a limit.
    var share: Double { end == nil ? 0 : start.duration(to: .now) / .seconds(1) / seconds }

    func check() throws(ConversionError) {
        if let end, ContinuousClock.now > end {
            throw ConversionError(
                "conversion.time-limit", .temporary, "the conversion took longer than \(seconds) s",
                remedy: "Raise --time-limit, or exclude the largest layers.")
        }
    }
}
