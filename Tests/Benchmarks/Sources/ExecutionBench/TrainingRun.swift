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
        let plan = try graph.compiled(loss: loss, watching: options.named["reference"] == nil ? [] : [logits])

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
}
