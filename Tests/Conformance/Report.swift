internal import Execution
internal import Foundation

/// What is said of a run.
struct Report {
    let outcomes: [(Case, Case.Outcome)]

    private struct Count {
        var passed = 0
        var failed = 0
        var skipped = 0

        mutating func add(_ outcome: Case.Outcome) {
            switch outcome {
            case .passed: passed += 1
            case .failed: failed += 1
            case .skipped: skipped += 1
            }
        }
    }

    var failures: Int { outcomes.count { if case .failed = $0.1 { true } else { false } } }

    /// Failures with reasons, skips by reason (a case counts for each of its reasons), a table of the groups, and the sum.
    var text: String {
        var lines: [String] = []
        for case (let item, .failed(let reason)) in outcomes { lines.append("FAILED \(item.name): \(reason)") }
        var reasons: [String: Int] = [:]
        var groups: [String: Count] = [:]
        var sum = Count()
        for (item, outcome) in outcomes {
            if case .skipped(let reason) = outcome {
                for part in reason.split(separator: "; ") { reasons[String(part), default: 0] += 1 }
            }
            groups[item.group, default: Count()].add(outcome)
            sum.add(outcome)
        }
        for (reason, count) in reasons.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            lines.append("skipped \(count): \(reason)")
        }
        lines.append("")
        func cells(_ cells: [String]) -> String {
            cells.enumerated().map { column, text in
                let space = String(repeating: " ", count: max(0, (column == 0 ? 20 : 8) - text.count))
                return column == 0 ? text + space : space + text
            }.joined()
        }
        lines.append(cells(["", "passed", "failed", "skipped"]))
        for (group, count) in groups.sorted(by: { $0.key < $1.key }) {
            lines.append(cells([group, "\(count.passed)", "\(count.failed)", "\(count.skipped)"]))
        }
        lines.append("")
        lines.append("\(sum.passed) passed, \(sum.failed) failed, \(sum.skipped) skipped")
        return lines.joined(separator: "\n")
    }

    private struct Entry: Encodable {
        var name: String
        var outcome: String
        var reason: String?
    }

    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(
            outcomes.map { item, outcome in
                switch outcome {
                case .passed: Entry(name: item.name, outcome: "passed", reason: nil)
                case .failed(let reason): Entry(name: item.name, outcome: "failed", reason: reason)
                case .skipped(let reason): Entry(name: item.name, outcome: "skipped", reason: reason)
                }
            })
    }

    /// A Markdown table of the operators that are executed.
    static func operators() -> String {
        var lines = ["| Domain | Operator | Gradient |", "|---|---|---|"]
        for operation in GraphExecutor.operators {
            let domain = operation.domain.isEmpty ? "ai.onnx" : operation.domain
            lines.append("| \(domain) | \(operation.name) | \(operation.hasGradient ? "yes" : "no") |")
        }
        return lines.joined(separator: "\n")
    }
}
