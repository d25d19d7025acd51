import ConverterKit
import Execution
import Foundation
import LinearAlgebra
import ONNXFormat

/// Steps of forward pass, mean cross-entropy, backward pass and SGD with momentum 0.9 on one random batch.
struct TrainingRun {
    let options: Options

    init(_ options: Options) { self.options = options }

    func measure() throws {
        guard let path = options.named["model"]?.last else { fatalError("--model FILE is missing") }
        let model = try ModelReader.read(path: path)
        let batch = options.int("batch", otherwise: 128)
        let steps = options.int("steps", otherwise: 20)
        let graph = TrainingGraph(threads: options.int("threads", otherwise: 2))
        if let raw = options.named["passes"]?.last.flatMap({ Int($0) }) { graph.optimizations = .init(rawValue: raw) }
        let stored = Set(model.graph.initializers.compactMap(\.name))
        guard let input = model.graph.inputs.compactMap(\.name).first(where: { !stored.contains($0) }),
            let output = model.graph.outputs.first?.name
        else { fatalError("the model has no input or output") }
        let images = try graph.input("images", type: .float32, shape: [batch, 3, 32, 32])
        let labels = try graph.input("labels", type: .int64, shape: [batch])
        let trained = model.graph.initializers.filter { $0.elementType == .float32 }.compactMap(\.name)
        let values = try graph.add(
            model, inputs: [input: images],
            mode: .init(trained: Set(trained), normalizesByBatch: true))
        guard let logits = values(output) else { fatalError("no logits") }
        let loss = try graph.crossEntropy(logits, labels: labels)
        let observed = (options.named["observe"] ?? []).compactMap { name in values(name).map { (name, $0) } }
        let plan = try graph.compiled(
            loss: loss, watching: options.named["compare"] == nil ? [] : [logits] + observed.map(\.1),
            memoryLimit: options.named["limit"]?.last.flatMap { Int($0) })

        if let folder = options.named["compare"]?.last {
            try dump(
                plan, [("logits", logits)] + observed, images: images, labels: labels, batch: batch, folder: folder)
            return
        }
        var generator = SeededGenerator(seed: 1)
        let pixels = (0..<batch * 3 * 32 * 32).map { _ in Float(generator.normal()) }
        let classes = (0..<batch).map { _ in Int64(generator.next() % 10) }
        try plan.set(images, to: TensorValue(pixels, shape: [batch, 3, 32, 32]))
        try plan.set(labels, to: TensorValue(classes, shape: [batch]))
        var velocities: [Int: [Float]] = [:]
        var seconds: [Double] = []
        var losses: [Float] = []
        for step in 0..<steps + ExecutionBench.warmUp {
            let time = try ExecutionBench.seconds {
                losses.append(try plan.step())
                plan.update { index, weight, gradient, count in
                    var velocity = velocities[index] ?? [Float](repeating: 0, count: count)
                    for position in 0..<count {
                        velocity[position] = 0.9 * velocity[position] + gradient[position]
                        weight[position] -= 0.01 * velocity[position]
                    }
                    velocities[index] = velocity
                }
                plan.followStatistics()
            }
            if step >= ExecutionBench.warmUp { seconds.append(time) }
        }
        let median = ExecutionBench.median(seconds)
        print(
            "{\"seconds\": \(median), \"least\": \(seconds.min() ?? 0), \"images_per_second\": "
                + "\(Double(batch) / median), \"gflops\": \(2e-9 * Double(plan.macs) / median), "
                + "\"peak_bytes\": \(ExecutionBench.peak), \"planned_bytes\": \(plan.byteCount), "
                + "\"losses\": \(losses)}")
    }

    /// Runs one step on `x.bin` and `y.bin` of a folder (floats and 64-bit integers) and writes each gradient beside them.
    private func dump(
        _ plan: TrainingPlan, _ watched: [(String, TrainingGraph.Value)], images: TrainingGraph.Value,
        labels: TrainingGraph.Value, batch: Int, folder: String
    ) throws {
        let pixels = try Data(contentsOf: URL(fileURLWithPath: folder + "/x.bin"))
            .withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        let classes = try Data(contentsOf: URL(fileURLWithPath: folder + "/y.bin"))
            .withUnsafeBytes { Array($0.bindMemory(to: Int64.self)) }
        try plan.set(images, to: TensorValue(pixels, shape: [batch, 3, 32, 32]))
        try plan.set(labels, to: TensorValue(classes, shape: [batch]))
        print("{\"loss\": \(try plan.step())}")
        for (name, value) in watched {
            let file = folder + "/value_" + name.replacingOccurrences(of: "/", with: "_") + ".bin"
            try plan.value(of: value).floats().withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: file)) }
        }
        for name in plan.parameterNames {
            guard let gradient = try plan.gradient(name)?.floats() else { continue }
            let file = folder + "/" + name.replacingOccurrences(of: "/", with: "_") + ".bin"
            try gradient.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: file)) }
        }
    }
}
