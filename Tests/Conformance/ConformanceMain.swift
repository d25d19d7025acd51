internal import Foundation

/// Runs the cases of the ONNX backend suite by `GraphExecutor` and compares the results.
@main
enum ConformanceMain {
    static let usage = """
        usage: rene-conformance [--filter SUBSTRING] [--json FILE] [FOLDER…]
               rene-conformance --operators
        """
    static let suite = "/usr/share/libonnx-testdata/data"

    static func main() throws {
        var arguments = CommandLine.arguments.dropFirst()
        if arguments.first == Worker.flag { return Worker.serve() }
        var (filter, json) = ("", String?.none)
        var roots: [String] = []
        while let argument = arguments.popFirst() {
            switch argument {
            case "--operators": return print(Report.operators())
            case "--filter": filter = value(&arguments)
            case "--json": json = value(&arguments)
            case _ where argument.hasPrefix("-"): fail()
            default: roots.append(argument)
            }
        }
        let cases = (roots.isEmpty ? [suite] : roots).flatMap { Case.all(beneath: $0) }
            .filter { filter.isEmpty || $0.name.contains(filter) }
        let report = Report(outcomes: try Worker.run(cases))
        print(report.text)
        if let json { try report.json().write(to: URL(fileURLWithPath: json)) }
        exit(report.failures > 0 || cases.isEmpty ? 1 : 0)
    }

    private static func value(_ arguments: inout ArraySlice<String>) -> String {
        guard let value = arguments.popFirst() else { fail() }
        return value
    }

    private static func fail() -> Never {
        FileHandle.standardError.write(Data((usage + "\n").utf8))
        exit(64)
    }
}
