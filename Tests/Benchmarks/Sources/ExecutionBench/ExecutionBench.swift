import ConverterKit
import Execution
import Foundation
import LinearAlgebra
import ONNXFormat

/// `execution-bench`: times steps of training, or runs of a graph. Prints one line of JSON.
///
///     execution-bench train --model FILE [--batch 128] [--steps 20] [--threads 2]
///     execution-bench run MODEL --input NAME=1x3x32x32[:FILL]… [--threads 2] [--seconds 3 | --steps N]
@main struct ExecutionBench {
    static let warmUp = 3

    static func main() throws {
        var words = Array(CommandLine.arguments.dropFirst())
        guard let mode = words.first else { fatalError("train or run") }
        words.removeFirst()
        let options = Options(words)
        BLAS.prepare()
        switch mode {
        case "train": try TrainingRun(options).measure()
        case "run": try InferenceRun(options).measure()
        default: fatalError("\(mode) is neither train nor run")
        }
    }

    static func seconds(_ body: () throws -> Void) rethrows -> Double {
        try ContinuousClock().measure(body) / .seconds(1)
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }

    /// Largest resident set in bytes.
    static var peak: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }
}

/// Words of the form `--name value`, repeated ones kept.
struct Options {
    private(set) var named: [String: [String]] = [:]
    private(set) var others: [String] = []

    init(_ words: [String]) {
        var rest = words[...]
        while let word = rest.popFirst() {
            if word.hasPrefix("--") {
                named[String(word.dropFirst(2)), default: []].append(rest.popFirst() ?? "")
            } else {
                others.append(word)
            }
        }
    }

    func int(_ name: String, otherwise value: Int) -> Int { named[name]?.last.flatMap { Int($0) } ?? value }
}
