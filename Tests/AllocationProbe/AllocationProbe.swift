import AllocationCounter
import ConverterKit
import Execution
import TestSupport

/// Counts the heap allocations of runs in the steady state: a line for each case, `NAME THREADS COUNT`.
@main
struct AllocationProbe {
    static func main() throws {
        for threads in 1...2 {
            for batch in [1, 16] {
                try infer("cnn-\(batch)", SampleModels.convolutional(batch: batch), [batch, 3, 12, 12], threads)
            }
            try infer("transformer-2", SampleModels.transformer(batch: 2), [2, 24, 32], threads)
            for batch in [8, 16, 32] {
                let model = SampleModels.convolutional(batch: batch)
                try train("training-\(batch)", model, [batch, 3, 12, 12], threads)
            }
            try train("transformer-training-2", SampleModels.transformer(batch: 2), [2, 24, 32], threads)
        }
    }

    private static func values(_ shape: [Int]) throws -> TensorValue {
        let count = shape.reduce(1, *)
        return try TensorValue((0..<count).map { Float($0 % 17) / 17 - 0.4 }, shape: shape)
    }

    private static func report(_ name: String, _ threads: Int, _ run: () throws -> Void) rethrows {
        for _ in 0..<3 { try run() }
        allocation_counter_start()
        for _ in 0..<5 { try run() }
        // Before print makes an array of what it is given.
        let count = allocation_counter_stop()
        print(name, threads, count)
    }

    private static func infer(_ name: String, _ model: Model, _ shape: [Int], _ threads: Int) throws {
        let executor = GraphExecutor(model, threads: threads)
        let run = try executor.readied(["images": .tensor(values(shape))])
        try report(name, threads, run)
    }

    private static func train(_ name: String, _ model: Model, _ shape: [Int], _ threads: Int) throws {
        let graph = TrainingGraph(threads: threads)
        let images = try graph.input("images", type: .float32, shape: shape)
        let trained = Set(model.graph.initializers.filter { $0.elementType == .float32 }.compactMap(\.name))
        let values = try graph.add(
            model, inputs: ["images": images], mode: .init(trained: trained, normalizesByBatch: true))
        guard let output = model.graph.outputs.first?.name, let result = values(output) else { return }
        var loss: TrainingGraph.Value
        var labels: TrainingGraph.Value?
        if try graph.shape(of: result).count == 2 {
            let classes = try graph.input("labels", type: .int64, shape: [shape[0]])
            loss = try graph.crossEntropy(result, labels: classes)
            labels = classes
        } else {
            loss = try graph.apply("ReduceMean", [graph.apply("Mul", [result, result])], ints: ["keepdims": 0])
        }
        let plan = try graph.compiled(loss: loss)
        try plan.set(images, to: Self.values(shape))
        if let labels {
            try plan.set(labels, to: TensorValue((0..<shape[0]).map { Int64($0 % 10) }, shape: [shape[0]]))
        }
        try report(name, threads) {
            _ = try plan.step()
            plan.followStatistics()
        }
    }
}
