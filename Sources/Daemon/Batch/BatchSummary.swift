internal import Conversion
internal import ConverterKit
internal import Glibc

/// The table at the end of a batch.
public enum BatchSummary {
    private static let columns = [
        "model", "status", "parameters_before", "parameters_after", "macs_before", "macs_after", "bytes_before",
        "bytes_after", "seconds", "code", "message",
    ]

    /// The entries as CSV (RFC 4180), one line each, with a head. Replaces a file of that name in one step.
    static func write(_ entries: [BatchEntry], to path: String) throws(ConversionError) {
        let rows = entries.map { entry in
            [
                entry.path, entry.status.rawValue, text(entry.report?.parametersBefore),
                text(entry.report?.parametersAfter), text(entry.report?.macsBefore), text(entry.report?.macsAfter),
                text(entry.report?.bytesBefore), text(entry.report?.bytesAfter),
                entry.seconds.map { "\(($0 * 1000).rounded() / 1000)" } ?? "", entry.error?.code ?? "",
                entry.error?.message ?? "",
            ]
        }
        let lines = ([columns] + rows).map { $0.map(quoted).joined(separator: ",") + "\r\n" }
        try SmallFile.replace(path, with: Array(lines.joined().utf8), mode: 0o644)
    }

    /// For people: one line a model, columns under each other, totals at the end.
    public static func table(_ entries: [BatchEntry]) -> String {
        let width = min(60, max(5, entries.map(\.path.count).max() ?? 0))
        var lines = [row("model", width, "status", "params", "MACs", "seconds")]
        for entry in entries {
            let report = entry.report
            lines.append(
                row(
                    entry.path, width, entry.status.rawValue, share(report?.parametersBefore, report?.parametersAfter),
                    share(report?.macsBefore, report?.macsAfter),
                    entry.error?.code ?? entry.seconds.map { "\(($0 * 10).rounded() / 10)" } ?? "-"))
        }
        let counts = [BatchEntry.Status.converted, .unchanged, .skipped, .failed].map { status in
            "\(entries.count { $0.status == status }) \(status.rawValue)"
        }
        return (lines + [counts.joined(separator: ", ")]).joined(separator: "\n")
    }

    private static func row(
        _ path: String, _ width: Int, _ status: String, _ parameters: String, _ macs: String, _ last: String
    ) -> String {
        padded(path, width) + "  " + padded(status, 9) + "  " + padded(parameters, 7) + "  " + padded(macs, 7) + "  "
            + last
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// What is gone, in per cent.
    private static func share(_ before: Int?, _ after: Int?) -> String {
        guard let before, let after, before > 0 else { return "-" }
        return "\(((Double(after) / Double(before) - 1) * 1000).rounded() / 10) %"
    }

    private static func text(_ number: Int?) -> String { number.map { "\($0)" } ?? "" }

    private static func quoted(_ text: String) -> String {
        guard text.contains(where: { ",\"\r\n".contains($0) }) else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
