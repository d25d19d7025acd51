internal import ConverterKit
internal import Execution

/// Runs a model over data, batch by batch.
final class ModelRunner {
    let model: Model
    private let executor: GraphExecutor
    private(set) var seconds = 0.0

    /// - Parameter memoryLimit: bytes of the values that a run holds at once; a graph that needs more is not run.
    init(_ model: Model, threads: Int, memoryLimit: Int?) {
        self.model = model
        executor = GraphExecutor(model, threads: threads, memoryLimit: memoryLimit)
    }

    /// The outputs that are tensors of numbers, in the graph's order, cut to the samples that are asked for.
    func run(_ batch: LabelledData.Batch, of data: LabelledData) throws -> [OutputValues] {
        try tensors(of: batch, in: data).map { name, tensor in
            try OutputValues(
                name: name, tensor, samples: batch.isFilled ? batch.range.count : tensor.shape.first ?? 0)
        }
    }

    var outputNames: [String] { executor.outputNames }

    /// The outputs that are tensors of numbers, in the graph's order, with the rows that fill a batch.
    func tensors(of batch: LabelledData.Batch, in data: LabelledData) throws -> [(name: String, TensorValue)] {
        let inputs = try data.inputs(of: batch)
        let start = ContinuousClock.now
        let results = try executor.run(inputs)
        seconds += start.duration(to: .now) / .seconds(1)
        return executor.outputNames.compactMap { name in
            guard case .tensor(let tensor)? = results[name], tensor.type != .string else { return nil }
            return (name, tensor)
        }
    }
}

/// One output of a batch.
struct OutputValues: Sendable {
    var name: String
    var shape: [Int]
    var isFloating: Bool
    var values: [Float]

    init(name: String, _ tensor: TensorValue, samples: Int) throws {
        self.name = name
        (shape, isFloating, values) = (tensor.shape, tensor.type.isFloating, try tensor.floats())
        // Rows that only fill a batch of fixed size are no samples.
        if let first = shape.first, first > samples, first > 0, samples > 0 {
            values.removeLast(values.count / first * (first - samples))
            shape[0] = samples
        }
    }

    /// One row of class scores for each of `samples`; `nil` for other outputs.
    func rows(samples: Int) -> [ArraySlice<Float>]? {
        guard isFloating, shape.first == samples, samples > 0, values.count / samples > 1 else { return nil }
        let width = values.count / samples
        return (0..<samples).map { values[$0 * width..<($0 + 1) * width] }
    }
}

extension ArraySlice<Float> {
    /// The first place of the largest element, from 0.
    var largest: Int {
        var best = startIndex
        for index in indices where self[index] > self[best] || self[best].isNaN { best = index }
        return best - startIndex
    }
}
