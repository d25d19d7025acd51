/// A report as text for people.
public enum ReportText {
    /// The headline: what was saved, at which error.
    public static func summary(of report: Report) -> String {
        let changed = report.layers.filter { $0.decomposition != nil }
        guard !changed.isEmpty else {
            return "unchanged: " + (report.notes.first ?? "no layer can be made smaller within the budget")
        }
        let after = report.result
        var lines = [
            "\(changed.count) of \(report.layers.count) layers factorized in "
                + "\(decimal(report.seconds, 2)) s (search \(report.search.method), BLAS \(report.blasKernel), "
                + "\(report.threads) threads)"
        ]
        func line(_ what: String, _ before: Int, _ share: Double, _ value: Int?) {
            let now = value.map { grouped($0) } ?? grouped(Int((Double(before) * (1 - share)).rounded()))
            lines.append(
                "  \(padded(what, 11))\(padded(grouped(before), -15)) -> \(padded(now, -15))  \(percent(-share))")
        }
        line("parameters", report.source.parameters, report.reduction.parameters, after?.parameters)
        line("MACs", report.source.macs, report.reduction.macs, after?.macs)
        line("bytes", report.source.bytes, report.reduction.bytes, after?.bytes)
        let worst = report.verification?.largestRelativeWeightError ?? changed.compactMap(\.relativeError).max() ?? 0
        lines.append("  largest relative weight error of a layer: \(decimal(worst, 4))")
        if let facts = report.verification, let error = facts.relativeOutputError {
            let inputs = facts.inputs == "data" ? "\(report.data.samples) samples" : "drawn inputs"
            lines.append("  relative error of the outputs on \(inputs): \(decimal(error, 4))")
        }
        if let before = report.verification?.top1Before, let after = report.verification?.top1After {
            lines.append("  top-1 \(decimal(before, 2)) % -> \(decimal(after, 2)) %")
        }
        lines += report.notes.map { "  note: \($0)" }
        return lines.joined(separator: "\n")
    }

    /// One line for each layer: what it becomes or why it stays.
    public static func layers(of report: Report) -> String {
        let width = min(60, max(5, report.layers.map(\.node.count).max() ?? 5))
        var lines = [
            padded("layer", width) + "  " + padded("becomes", 12) + padded("rank", -10) + padded("parameters", -24)
                + padded("MACs", -28) + padded("error", -9) + "  reason"
        ]
        for layer in report.layers {
            let rank = layer.rank.map(String.init).joined(separator: "x")
            let parameters = layer.parameters.map { grouped($0) }.joined(separator: " -> ")
            let macs = layer.macs.map { grouped($0) }.joined(separator: " -> ")
            lines.append(
                padded(String(layer.node.suffix(width)), width) + "  " + padded(layer.decomposition ?? "stays", 12)
                    + padded(rank, -10) + padded(parameters, -24) + padded(macs, -28)
                    + padded(layer.relativeError.map { decimal($0, 4) } ?? "", -9) + "  " + (layer.reason ?? ""))
        }
        return lines.joined(separator: "\n")
    }

    /// Left-aligned to a positive width, right-aligned to a negative one.
    static func padded(_ text: String, _ width: Int) -> String {
        let space = String(repeating: " ", count: max(0, abs(width) - text.count))
        return width < 0 ? space + text : text + space
    }

    static func percent(_ share: Double) -> String { (share > 0 ? "+" : "") + decimal(share * 100, 2) + " %" }

    static func decimal(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "\(value)" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (abs(value) * scale).rounded()
        guard scaled < 9e15 else { return "\(value)" }
        let whole = Int(scaled / scale)
        let fraction = String(Int(scaled - Double(whole) * scale))
        let sign = value < 0 && scaled > 0 ? "-" : ""
        if digits == 0 { return "\(sign)\(whole)" }
        return "\(sign)\(whole).\(String(repeating: "0", count: max(0, digits - fraction.count)))\(fraction)"
    }

    /// Three significant digits with a power of ten.
    static func scientific(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
        var (mantissa, exponent) = (abs(value), 0)
        while mantissa >= 9.995 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
        while mantissa < 0.9995 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
        return (value < 0 ? "-" : "") + decimal(mantissa, 2) + "e\(exponent)"
    }

    /// Digits in groups of three.
    static func grouped(_ value: Int) -> String {
        var text = ""
        for (index, digit) in String(value).reversed().enumerated() {
            if index > 0, index % 3 == 0, digit != "-" { text.append(" ") }
            text.append(digit)
        }
        return String(text.reversed())
    }
}
