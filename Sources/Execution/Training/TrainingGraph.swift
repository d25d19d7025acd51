public import ConverterKit

/// A graph with a loss, and its gradient in the model's weights: what a step of training runs.
///
/// Made in three moves: models are lowered into it (one to be trained, perhaps a teacher beside it), a loss is built from
/// their values, and `compiled` adds the reverse pass and plans all of it for the given extents.
public final class TrainingGraph {
    let program: Program
    private(set) var parameters: [Parameter] = []
    private(set) var normalizations: [Lowering.Normalization] = []

    struct Parameter {
        var name: String
        var id: ValueID
    }

    /// A value of the graph.
    public struct Value: Hashable, Sendable {
        let id: ValueID
    }

    /// How a model takes part.
    public struct Mode: Sendable {
        /// Names of constants that are trained.
        public var trained: Set<String>
        /// Batch normalizations take the statistics of the batch and follow them.
        public var normalizesByBatch: Bool

        public init(trained: Set<String> = [], normalizesByBatch: Bool = false) {
            self.trained = trained
            self.normalizesByBatch = normalizesByBatch
        }
    }

    /// What is done to make a step faster; results do not depend on it beyond rounding.
    public struct Optimizations: OptionSet, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }
        /// Chains of convolutions run as one where that costs less.
        public static let chains = Optimizations(rawValue: 1)
        /// Batch normalization, the sum and the Relu behind it are one.
        public static let normalization = Optimizations(rawValue: 2)
        /// Sixteen images are the lanes of a vector.
        public static let lanes = Optimizations(rawValue: 4)
        public static let all: Optimizations = [.chains, .normalization, .lanes]
    }

    public var optimizations = Optimizations.all

    public init(threads: Int) { program = Program(pool: ThreadPool.shared(width: threads)) }

    /// A value that is set before each run.
    public func input(_ name: String, type: ElementType, shape: [Int]) throws -> Value {
        _ = try TensorValue.byteCount(type, shape)
        return Value(id: program.addInput(name, TensorFact(type: type, shape: shape)))
    }

    /// Lowers the model on these inputs. Gives a function from the names of the main graph's values to the values.
    public func add(_ model: Model, inputs: [String: Value], mode: Mode = Mode()) throws -> (String) -> Value? {
        // The statistics of normalizations are measured and not trained.
        let measured = model.graph.nodes.filter { $0.operation == "BatchNormalization" && $0.inputs.count >= 5 }
            .flatMap { $0.inputs[3...4] }
        let trained = mode.trained.subtracting(measured)
        var lowering = Lowering(
            into: program, functions: Lowering.functions(of: model), versions: model.operatorSets,
            mode: Lowering.Mode(trains: trained.contains, normalizesByBatch: mode.normalizesByBatch))
        for info in model.graph.inputs {
            guard let name = info.name, let value = inputs[name] else { continue }
            lowering.bind(name, to: value.id)
        }
        try lowering.lower(model.graph)
        normalizations += lowering.normalizations
        for name in trained.sorted() {
            guard let id = lowering.look(up: name), program[id].role == .parameter else { continue }
            parameters.append(Parameter(name: name, id: id))
        }
        let scope = lowering
        return { name in scope.look(up: name).map { Value(id: $0) } }
    }

    /// Mean cross-entropy of logits `[N, classes]` against integer labels `[N]`.
    public func crossEntropy(_ logits: Value, labels: Value) throws -> Value {
        Value(id: try program.one("SoftmaxCrossEntropyLoss", [logits.id, labels.id], ["reduction": "mean"]))
    }

    /// Uses an operator of ONNX's on values; version 18 of its set.
    public func apply(_ operation: String, _ inputs: [Value], ints: [String: Int] = [:], floats: [String: Float] = [:])
        throws -> Value
    {
        var attributes: AttributeList = [:]
        for (name, value) in ints { attributes.set(name, value) }
        for (name, value) in floats { attributes.set(name, value) }
        return Value(id: try program.one(operation, inputs.map(\.id), attributes))
    }

    public func constant(_ value: TensorValue) -> Value { Value(id: program.constant(value)) }

    public func shape(of value: Value) throws -> [Int] { try program.fact(value.id).shape }

    /// Adds the gradient of `loss` in all parameters and plans everything.
    ///
    /// - Parameters:
    ///   - watched: Other values that can be read after a step.
    ///   - memoryLimit: Bytes that a step may work in. Where keeping all that the reverse pass reads would take more, some
    ///     of it is computed again. Throws `execution.memory` when that does not suffice.
    public func compiled(loss: Value, watching watched: [Value] = [], memoryLimit: Int? = nil) throws -> TrainingPlan {
        guard try program.fact(loss.id).count == 1 else { throw ExecutionError.shape("a loss is one number") }
        let statistics = normalizations.flatMap { [$0.batchMean, $0.batchVariance] }
        let kept = [loss.id] + watched.map(\.id) + statistics
        Passes.removeUnread(program, keeping: kept)
        try program.recognizeActivations(keeping: kept)
        if optimizations.contains(.chains) { try ChainContraction.apply(to: program, keeping: kept) }
        if optimizations.contains(.normalization) { try NormalizationFusion.apply(to: program, keeping: kept) }
        try ConvolutionFusion.apply(to: program, keeping: kept, sparing: dependents())
        let seed = program.constant(
            try TensorValue([Float(1)], shape: program.fact(loss.id).shape))
        let gradients = try program.addGradients(of: [loss.id: seed], for: parameters.map(\.id))
        let outputs = kept + gradients.compactMap { $0 }
        if optimizations.contains(.lanes) { try LaneRewrite.apply(to: program, keeping: outputs) }
        try program.fuseElementwise(keeping: outputs)
        if let memoryLimit {
            try Rematerialization.apply(to: program, keeping: outputs, loss: loss.id, limit: memoryLimit)
        }
        let plan = try Plan(program, outputs: outputs, memoryLimit: memoryLimit)
        return TrainingPlan(
            plan, parameters: parameters, gradients: gradients, loss: loss.id, normalizations: normalizations)
    }

    /// Values that a parameter has a part in.
    private func dependents() -> Set<ValueID> {
        var dependents = Set(parameters.map(\.id))
        for instruction in program.instructions
        where Program.reads(instruction).contains(where: dependents.contains) {
            dependents.formUnion(instruction.outputs.compactMap { $0 })
        }
        return dependents
    }
}
