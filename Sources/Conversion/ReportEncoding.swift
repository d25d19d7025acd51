internal import ConverterKit
internal import FoundationEssentials

extension Report {
    /// The report as JSON: keys in snake case and in alphabetic order.
    public func json() throws -> [UInt8] { try ReportEncoder.json(self) }

    /// The report in a file; `nil` when there is none that this version understands.
    package init?(file path: String) {
        guard let file = try? OpenFile(path: path), file.size <= 1 << 28,
            let bytes = try? ByteSource(file: file, offset: 0, count: file.size).bytes()
        else { return nil }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        guard let report = try? decoder.decode(Report.self, from: Data(bytes)) else { return nil }
        self = report
    }
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
