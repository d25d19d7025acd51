internal import FoundationEssentials

extension Report {
    /// The report as JSON: keys in snake case and in alphabetic order.
    public func json() throws -> [UInt8] { try ReportEncoder.json(self) }
}

/// How everything that is printed or written as JSON is encoded.
public enum ReportEncoder {
    public static func json(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return [UInt8](try encoder.encode(value)) + [0x0a]
    }
}
