import ConverterKit
import Execution
import Foundation
import LinearAlgebra
import ONNXFormat

/// Runs of a graph on the same inputs.
struct InferenceRun {
    let options: Options

    init(_ options: Options) { self.options = options }

    func measure() throws {
        guard let path = options.others.first else { fatalError("MODEL is missing") }
        let model = try ModelReader.read(path: path)
        let executor = GraphExecutor(
            model, threads: options.int("threads", otherwise: 2), observing: options.named["observe"] ?? [])
        var inputs: [String: RuntimeValue] = [:]
        for text in options.named["input"] ?? [] {
            let halves = text.split(separator: "=", maxSplits: 1).map(String.init)
            inputs[halves[0]] = .tensor(try value(halves[1], of: halves[0], in: model))
        }
        if let folder = options.named["outputs"]?.last {
            for (name, value) in try executor.run(inputs) {
                let floats = try value.tensor().floats()
                let file = folder + "/" + name.replacingOccurrences(of: "/", with: "_") + ".bin"
                try floats.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: file)) }
            }
            return
        }
        var seconds: [Double] = []
        let limit = options.named["seconds"]?.last.flatMap { Double($0) } ?? 3
        let steps = options.named["steps"]?.last.flatMap { Int($0) }
        for _ in 0..<ExecutionBench.warmUp { _ = try executor.run(inputs) }
        var spent = 0.0
        while steps.map({ seconds.count < $0 }) ?? (spent < limit || seconds.count < 10) {
            let time = try ExecutionBench.seconds { _ = try executor.run(inputs) }
            seconds.append(time)
            spent += time
        }
        let median = ExecutionBench.median(seconds)
        print(
            "{\"seconds\": \(median), \"least\": \(seconds.min() ?? 0), \"calls_per_second\": \(1 / median), "
                + "\"peak_bytes\": \(ExecutionBench.peak)}")
    }

    /// From `SHAPE[:FILL]`.
    private func value(_ text: String, of name: String, in model: Model) throws -> TensorValue {
        let parts = text.split(separator: ":").map(String.init)
        let shape = parts[0].split(separator: "x").compactMap { Int($0) }
        let count = shape.reduce(1, *)
        if parts.count > 1, parts[1].hasPrefix("/") {
            let data = try Data(contentsOf: URL(fileURLWithPath: parts[1]))
            return try TensorValue(data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }, shape: shape)
        }
        let type = model.graph.inputs.first { $0.name == name }?.tensorType.flatMap {
            ElementType(rawValue: $0.elementTypeNumber)
        }
        if type == .int64 {
            let isRange = parts.count > 1 && parts[1] == "range"
            let length = shape.last ?? 1
            return try TensorValue((0..<count).map { isRange ? Int64($0 % length) : 1 }, shape: shape)
        }
        var generator = SeededGenerator(seed: 1)
        return try TensorValue((0..<count).map { _ in Float(generator.normal()) }, shape: shape)
    }
}
