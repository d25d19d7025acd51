/// A report as one self-contained page: no script, no network, light and dark.
struct HTMLReport {
    private let report: Report

    init(_ report: Report) { self.report = report }

    var bytes: [UInt8] { Array(page.utf8) }

    private var page: String {
        let name = Self.escaped(FileName.last(of: report.source.path))
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>rene: \(name)</title><style>\(Self.style)</style></head><body>
            <h1>\(name)</h1>
            <p class="sub">\(Self.escaped(headline))</p>
            \(headlineTable)
            \(outputTable)
            \(notes)
            <h2>Layers</h2>
            \(layerTable)
            <p class="sub">rene \(report.version), \(report.started), \(ReportText.decimal(report.seconds, 2)) s, \
            search \(Self.escaped(report.search.method)), seed \(report.seed), \(report.threads) threads, \
            BLAS kernel \(Self.escaped(report.blasKernel)).
            Source SHA-256 <code>\(report.source.sha256)</code>.</p>
            </body></html>

            """
    }

    private var headline: String {
        let changed = report.layers.filter { $0.decomposition != nil }.count
        return changed == 0
            ? "Passed on unchanged: \(report.notes.first ?? "")."
            : "\(changed) of \(report.layers.count) layers factorized."
    }

    private var headlineTable: String {
        let result = report.result
        let rows = [
            ("Parameters", report.source.parameters, result?.parameters, report.reduction.parameters),
            ("MACs", report.source.macs, result?.macs, report.reduction.macs),
            ("Bytes", report.source.bytes, result?.bytes, report.reduction.bytes),
        ].map { name, before, after, share in
            """
            <tr><th>\(name)</th><td>\(ReportText.grouped(before))</td>\
            <td>\(after.map { ReportText.grouped($0) } ?? "")</td><td>\(ReportText.percent(-share))</td>\
            <td class="bar"><i style="width:\(ReportText.decimal(max(0, 1 - share) * 100, 1))%"></i></td></tr>
            """
        }
        return """
            <table><tr><th></th><td>before</td><td>after</td><td>change</td><td class="bar">left</td></tr>
            \(rows.joined(separator: "\n"))</table>
            """
    }

    /// How far the outputs are from the original's.
    private var outputTable: String {
        guard let facts = report.verification, let error = facts.relativeOutputError else { return "" }
        var rows = [("Relative error of the outputs", ReportText.decimal(error, 4))]
        if let before = facts.top1Before, let after = facts.top1After {
            rows.append(("Top-1", "\(ReportText.decimal(before, 2)) % → \(ReportText.decimal(after, 2)) %"))
        }
        if let agreement = facts.agreement { rows.append(("Same top-1", ReportText.decimal(agreement, 2) + " %")) }
        let inputs = facts.inputs == "data" ? "\(report.data.samples) samples" : "drawn inputs"
        return "<table>" + rows.map { "<tr><th>\($0)</th><td>\($1)</td></tr>" }.joined()
            + "<tr><th>Measured on</th><td>\(inputs)</td></tr></table>"
    }

    private var notes: String {
        report.notes.isEmpty
            ? "" : "<ul>" + report.notes.map { "<li>\(Self.escaped($0))</li>" }.joined() + "</ul>"
    }

    /// A row for each layer: what it became, and bars for what is left of its parameters and MACs and for its error.
    private var layerTable: String {
        let worst = report.layers.compactMap(\.relativeError).max() ?? 0
        let rows = report.layers.map { layer in
            """
            <tr><th>\(Self.escaped(layer.node))</th><td>\(Self.escaped(layer.kind))</td>\
            <td>\(Self.escaped(layer.decomposition ?? layer.reason ?? ""))</td>\
            <td>\(layer.rank.map(String.init).joined(separator: "×"))</td>\
            \(Self.bar(layer.parameters))\(Self.bar(layer.macs))\
            <td>\(layer.relativeError.map { ReportText.decimal($0, 4) } ?? "")</td>\
            <td class="bar error"><i style="width:\(ReportText.decimal(
                worst > 0 ? (layer.relativeError ?? 0) / worst * 100 : 0, 1))%"></i></td></tr>
            """
        }
        return """
            <table><tr><th>node</th><td>kind</td><td>becomes</td><td>rank</td><td class="bar">parameters left</td>\
            <td class="bar">MACs left</td><td>error</td><td class="bar">relative weight error</td></tr>
            \(rows.joined(separator: "\n"))</table>
            """
    }

    private static func bar(_ pair: [Int]) -> String {
        guard pair.count == 2, pair[0] > 0 else { return "<td></td>" }
        let share = Double(pair[1]) / Double(pair[0]) * 100
        return """
            <td class="bar" title="\(ReportText.grouped(pair[0])) → \(ReportText.grouped(pair[1]))">\
            <i style="width:\(ReportText.decimal(share, 1))%"></i></td>
            """
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }

    private static let style = """
        :root{color-scheme:light dark;--ink:#1c2330;--soft:#667085;--line:#d9dde5;--fill:#3b6fd4;--warm:#d4803b;--page:#fff}
        @media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#98a2b3;--line:#333a46;--page:#14171d}}
        body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:72rem;margin:2rem auto;
        padding:0 1rem}h1{margin-bottom:0}.sub{color:var(--soft)}table{border-collapse:collapse;width:100%;
        font-variant-numeric:tabular-nums}th{text-align:left;font-weight:500;overflow-wrap:anywhere}td{text-align:right}
        th,td{padding:.25rem .5rem;border-bottom:1px solid var(--line)}.bar{min-width:8rem;text-align:left}
        .bar i{display:block;height:.7rem;background:var(--fill);border-radius:2px}.error i{background:var(--warm)}
        """
}
