internal import Glibc

/// A moment of the calendar: milliseconds since the beginning of 1970, UTC.
public struct Timestamp: Sendable, Hashable, Comparable {
    public var milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// The wall clock.
    public static var now: Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    /// The moment `seconds` later; saturates.
    public func adding(seconds: Double) -> Timestamp {
        let sum = Double(milliseconds) + (seconds * 1000).rounded()
        return Timestamp(milliseconds: Int64(exactly: sum) ?? (sum < 0 ? .min : .max))
    }
}

extension Timestamp: CustomStringConvertible, Codable {
    /// ISO 8601 with milliseconds, such as `2026-03-01T07:05:09.250Z`.
    public var description: String {
        let (days, rest) = Self.divide(milliseconds, 86_400_000)
        // Days to date in the Gregorian calendar, counted in eras of 400 years that begin on the first of March.
        let (era, dayOfEra) = Self.divide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let clock = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60].map { Self.padded($0, 2) }
        return "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))T"
            + clock.joined(separator: ":") + ".\(Self.padded(rest % 1000, 3))Z"
    }

    public init(from decoder: any Decoder) throws {
        milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    /// Milliseconds, so that programs need not parse a date.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }

    private static func divide(_ number: Int64, _ by: Int64) -> (quotient: Int64, remainder: Int64) {
        let quotient = number >= 0 ? number / by : (number - by + 1) / by
        return (quotient, number - quotient * by)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
