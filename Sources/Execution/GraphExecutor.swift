public import ConverterKit

/// Runs a model's graph. A plan is made at the first run with inputs of new types or extents and kept.
public final class GraphExecutor {
    private let model: Model
    private let functions: [Lowering.FunctionName: Function]
    private let pool: ThreadPool
    private let observed: [String]
    private let memoryLimit: Int?
    private var plans: [[String: TensorFact?]: Compiled] = [:]

    /// Extents that change from run to run would fill the memory.
    private static let mostPlans = 8

    private struct Compiled {
        var plan: Plan
        var inputs: [String: ValueID]
    }

    /// - Parameters:
    ///   - threads: How many threads a run may use.
    ///   - observing: Names of inner values of the main graph that come out besides the graph's outputs.
    ///   - memoryLimit: Bytes that the values of a run may take together; a graph that needs more is refused with
    ///     `execution.memory`.
    public init(_ model: Model, threads: Int, observing: [String] = [], memoryLimit: Int? = nil) {
        self.memoryLimit = memoryLimit
        self.model = model
        functions = Lowering.functions(of: model)
        pool = ThreadPool.shared(width: threads)
        observed = observing
    }

    /// The graph's inputs that have no initializer to stand for them.
    public var inputNames: [String] {
        let stored = Set(model.graph.initializers.compactMap(\.name))
        return model.graph.inputs.compactMap(\.name).filter { !stored.contains($0) }
    }

    public var outputNames: [String] { model.graph.outputs.compactMap(\.name) }

    /// Runs the graph on inputs by name; gives its outputs and the observed values by name.
    ///
    /// Throws `execution.unsupported` for an operator that is not executed, `execution.missing-input`, `execution.shape`
    /// and `execution.type` for inputs that do not fit; each names the node or the input.
    public func run(_ inputs: [String: RuntimeValue]) throws -> [String: RuntimeValue] {
        let (plan, given) = try plan(for: inputs)
        let results = try plan.run(given)
        return Dictionary(zip(outputNames + observed, results), uniquingKeysWith: { first, _ in first })
    }

    /// Runs of the plan for these inputs, which it holds already: for measurements of what a run itself costs.
    package func readied(_ inputs: [String: RuntimeValue]) throws -> () throws -> Void {
        let (plan, given) = try plan(for: inputs)
        for (id, value) in given { try plan.set(id, to: value) }
        return { try plan.run() }
    }

    private func plan(for inputs: [String: RuntimeValue]) throws -> (plan: Plan, given: [ValueID: RuntimeValue]) {
        for name in inputNames where inputs[name] == nil { throw ExecutionError.missingInput(name) }
        let key = inputs.mapValues(\.fact)
        let compiled: Compiled
        if let known = plans[key] {
            compiled = known
        } else {
            compiled = try compile(inputs)
            if plans.count >= Self.mostPlans { plans.removeAll() }
            plans[key] = compiled
        }
        var given: [ValueID: RuntimeValue] = [:]
        for (name, value) in inputs { if let id = compiled.inputs[name] { given[id] = value } }
        return (compiled.plan, given)
    }

    private func compile(_ inputs: [String: RuntimeValue]) throws -> Compiled {
        let program = Program(pool: pool)
        var lowering = Lowering(into: program, functions: functions, versions: model.operatorSets)
        var ids: [String: ValueID] = [:]
        for info in model.graph.inputs {
            guard let name = info.name, let value = inputs[name] else { continue }
            try Self.check(value, against: info)
            let id = program.addInput(name, of: value)
            lowering.bind(name, to: id)
            ids[name] = id
        }
        for name in inputs.keys.sorted() where ids[name] == nil {
            throw ExecutionError.missingInput("named \(name), which the model does not have,")
        }
        try lowering.lower(model.graph)
        let outputs = try (outputNames + observed).map { try lowering.output($0) }
        try Passes.forward(program, keeping: outputs)
        return Compiled(plan: try Plan(program, outputs: outputs, memoryLimit: memoryLimit), inputs: ids)
    }

    /// Throws when the value does not fit what the model states of its input.
    static func check(_ value: RuntimeValue, against info: ValueInfo) throws {
        guard let stated = info.tensorType, case .tensor(let tensor) = value else { return }
        let name = info.name ?? ""
        guard tensor.type.rawValue == stated.elementTypeNumber else {
            let wanted = ElementType(rawValue: stated.elementTypeNumber).map { "\($0)" } ?? "another type"
            throw ExecutionError.type("the input \(name) is of \(wanted), and \(tensor.type) is given")
        }
        guard let shape = stated.shape else { return }
        let fits =
            shape.count == tensor.shape.count
            && zip(shape, tensor.shape).allSatisfy { dimension, extent in
                if case .fixed(let fixed) = dimension { fixed <= 0 || Int(fixed) == extent } else { true }
            }
        guard fits else {
            throw ExecutionError.shape("the input \(name) has the shape \(tensor.shape), which is not the model's")
        }
    }
}
