internal import Foundation

/// Runs cases in processes of their own, some in each, so that one that crashes fails and the others go on.
enum Worker {
    static let flag = "--worker"
    private static let chunk = 64
    /// Seconds that a case may take.
    private static let patience: UInt32 = 120

    /// In the child: reads paths line by line, and writes `> path` before and the outcome after each.
    static func serve() {
        let output = FileHandle.standardOutput
        while let path = readLine() {
            output.write(Data("> \(path)\n".utf8))
            alarm(patience)
            let line =
                switch Case(path: path).run() {
                case .passed: "+"
                case .failed(let reason): "- " + reason
                case .skipped(let reason): "? " + reason
                }
            output.write(Data((line.split(separator: "\n").joined(separator: " ") + "\n").utf8))
        }
    }

    /// The outcomes of all cases, in their order.
    static func run(_ cases: [Case]) throws -> [(Case, Case.Outcome)] {
        var outcomes: [(Case, Case.Outcome)] = []
        while outcomes.count < cases.count {
            let next = Array(cases[outcomes.count..<min(cases.count, outcomes.count + chunk)])
            outcomes += try runChunk(next)
        }
        return outcomes
    }

    /// The outcomes of the first cases; all of them unless one has crashed, which is then the last.
    private static func runChunk(_ cases: [Case]) throws -> [(Case, Case.Outcome)] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [flag]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        // Reports of traps are long; the reason is in the signal.
        process.standardError = FileHandle.nullDevice
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        try process.run()
        input.fileHandleForWriting.write(Data(cases.map { $0.path + "\n" }.joined().utf8))
        try input.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()

        var outcomes: [(Case, Case.Outcome)] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("> ") && outcomes.count < cases.count {
            let reason = String(line.dropFirst(2))
            let outcome: Case.Outcome
            switch line.first {
            case "+": outcome = .passed
            case "-": outcome = .failed(reason)
            case "?": outcome = .skipped(reason)
            default: continue
            }
            outcomes.append((cases[outcomes.count], outcome))
        }
        if outcomes.count < cases.count {
            let status = process.terminationStatus
            let reason =
                process.terminationReason != .uncaughtSignal
                ? "ended with status \(status)"
                : status == SIGALRM ? "takes over \(patience) s" : "crashed with signal \(status)"
            outcomes.append((cases[outcomes.count], .failed(reason)))
        }
        return outcomes
    }
}
