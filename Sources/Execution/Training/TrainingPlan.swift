internal import CKernels
internal import ConverterKit

/// A step of training that is ready to run.
public final class TrainingPlan {
    private let plan: Plan
    private let loss: ValueID
    private var normalizations: [Statistics]
    /// In the order of their names.
    private let weights: [Weight]

    private struct Weight {
        var name: String
        var shape: [Int]
        var count: Int
        var value: Buffer
        /// `nil` for one that the loss does not depend on.
        var gradient: Buffer?
    }

    private struct Statistics {
        var names: (mean: String, variance: String)
        var momentum: Float
        var batch: (mean: Buffer, variance: Buffer)
        var running: (mean: [Float], variance: [Float])
        /// From the batch's variance to that of what it is drawn from.
        var correction: Float
    }

    init(
        _ plan: Plan, parameters: [TrainingGraph.Parameter], gradients: [ValueID?], loss: ValueID,
        normalizations: [Lowering.Normalization]
    ) {
        self.plan = plan
        self.loss = loss
        weights = zip(parameters, gradients).compactMap { parameter, gradient in
            guard let fact = plan.program[parameter.id].fact, let value = plan.place(of: parameter.id) else {
                return nil
            }
            return Weight(
                name: parameter.name, shape: fact.shape, count: fact.count, value: value,
                gradient: gradient.flatMap { plan.place(of: $0) })
        }
        self.normalizations = normalizations.compactMap { item in
            guard let mean = plan.place(of: item.batchMean), let variance = plan.place(of: item.batchVariance) else {
                return nil
            }
            return Statistics(
                names: (item.mean, item.variance), momentum: item.momentum, batch: (mean, variance),
                running: item.initial, correction: Float(item.count) / Float(max(1, item.count - 1)))
        }
    }

    /// Bytes that a step works in, besides the constants.
    public var byteCount: Int { plan.byteCount }

    /// Multiply-accumulates of a step.
    public var macs: Int { plan.macs }

    public var parameterNames: [String] { weights.map(\.name) }

    /// Throws `execution.shape` or `execution.type` for a value of other extents or type than the input's.
    public func set(_ input: TrainingGraph.Value, to value: TensorValue) throws {
        try plan.set(input.id, to: .tensor(value))
    }

    /// Runs forward and back; gives the loss.
    public func step() throws -> Float {
        try plan.run()
        guard let place = plan.place(of: loss) else { throw ExecutionError.internal("the loss is constant") }
        return unsafe place.base.assumingMemoryBound(to: Float.self).pointee
    }

    /// What a watched value was in the last step.
    public func value(of value: TrainingGraph.Value) throws -> TensorValue {
        try plan.value(of: value.id, copying: true).tensor()
    }

    public func parameter(_ name: String) throws -> TensorValue? {
        try weights.first { $0.name == name }.map {
            try TensorValue(copying: $0.value, shape: $0.shape)
        }
    }

    public func gradient(_ name: String) throws -> TensorValue? {
        guard let weight = weights.first(where: { $0.name == name }), let gradient = weight.gradient else { return nil }
        return try TensorValue(copying: gradient, shape: weight.shape)
    }

    /// Sets a parameter. Throws `execution.shape` for other extents.
    public func setParameter(_ name: String, to value: TensorValue) throws {
        guard let weight = weights.first(where: { $0.name == name }) else { return }
        guard weight.shape == value.shape, value.type.storage == .float else {
            throw ExecutionError.shape("\(name) is \(weight.shape), and \(value.shape) is given")
        }
        unsafe weight.value.base.copyMemory(from: value.buffer.base, byteCount: weight.count * 4)
    }

    /// Moves the stored statistics of batch normalizations towards those of the last batch:
    /// `stored ← momentum · stored + (1 − momentum) · batch`.
    public func followStatistics() {
        for index in normalizations.indices {
            let momentum = normalizations[index].momentum
            let batch = normalizations[index].batch
            let (mean, variance) = unsafe (
                batch.mean.base.assumingMemoryBound(to: Float.self),
                batch.variance.base.assumingMemoryBound(to: Float.self)
            )
            let correction = normalizations[index].correction
            for channel in normalizations[index].running.mean.indices {
                let (newMean, newVariance) = unsafe (mean[channel], variance[channel] * correction)
                normalizations[index].running.mean[channel] *= momentum
                normalizations[index].running.mean[channel] += (1 - momentum) * newMean
                normalizations[index].running.variance[channel] *= momentum
                normalizations[index].running.variance[channel] += (1 - momentum) * newVariance
            }
        }
    }

    /// The stored statistics by the names of the model's constants.
    public var statistics: [String: [Float]] {
        var all: [String: [Float]] = [:]
        for item in normalizations {
            all[item.names.mean] = item.running.mean
            all[item.names.variance] = item.running.variance
        }
        return all
    }

    /// Sets stored statistics by the names of the model's constants.
    public func setStatistics(_ values: [String: [Float]]) {
        for index in normalizations.indices {
            let names = normalizations[index].names
            if let mean = values[names.mean], mean.count == normalizations[index].running.mean.count {
                normalizations[index].running.mean = mean
            }
            if let variance = values[names.variance], variance.count == normalizations[index].running.variance.count {
                normalizations[index].running.variance = variance
            }
        }
    }

    /// Number of axes of a parameter, by its number in `update`.
    public func parameterRank(_ index: Int) -> Int { weights[index].shape.count }

    /// Calls `body` with each parameter that has a gradient: number, elements, gradient, count.
    @unsafe public func update(
        _ body: (Int, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int) throws -> Void
    ) rethrows {
        for (index, weight) in weights.enumerated() {
            guard let gradient = weight.gradient else { continue }
            try unsafe body(
                index, weight.value.base.assumingMemoryBound(to: Float.self),
                gradient.base.assumingMemoryBound(to: Float.self), weight.count)
        }
    }
}

extension TensorValue {
    /// Single-precision elements in memory of their own.
    init(copying buffer: Buffer, shape: [Int]) throws {
        try self.init(type: .float32, shape: shape)
        unsafe self.buffer.base.copyMemory(from: buffer.base, byteCount: count * 4)
    }
}
