internal import ConverterKit

/// The body of an If, Loop or Scan. Compiled once for each combination of input types and extents that it meets.
final class Subgraph {
    let graph: Graph
    private let functions: [Lowering.FunctionName: Function]
    private let versions: [OperatorSet]
    private let outerNames: [String]
    private var plans: [[TensorFact?]: Compiled] = [:]
    /// Extents that change from run to run, as of a value that grows, would fill the memory with plans and take the time
    /// to make them: beyond this many, one plan that looks at the extents while it runs serves for the rest.
    private static let mostPlans = 16

    private struct Compiled {
        var plan: Plan
        var inputs: [ValueID]
        var captured: [(name: String, id: ValueID)]
        var outputs: [ValueID]
    }

    init(_ graph: Graph, functions: [Lowering.FunctionName: Function], versions: [OperatorSet]) {
        self.graph = graph
        outerNames = graph.outerNames.sorted()
        self.functions = functions
        self.versions = versions
    }

    func run(_ inputs: [RuntimeValue], captured: [String: Evaluation.Captured], pool: ThreadPool) throws
        -> [RuntimeValue]
    {
        guard inputs.count <= graph.inputs.count else {
            throw ExecutionError.shape("a graph of \(graph.inputs.count) inputs is given \(inputs.count)")
        }
        let outer = outerNames.compactMap { name in captured[name].map { (name, $0) } }
        let changing = outer.filter { !$0.1.isConstant }
        var key = (inputs + changing.map(\.1.value)).map(\.fact)
        let isLate = plans[key] == nil && plans.count >= Self.mostPlans
        if isLate { key = key.map { _ in nil } }
        let compiled: Compiled
        if let known = plans[key] {
            compiled = known
        } else {
            compiled = try compile(inputs, outer, isLate: isLate, pool: pool)
            plans[key] = compiled
        }
        var given: [ValueID: RuntimeValue] = [:]
        for (id, value) in zip(compiled.inputs, inputs) { given[id] = value }
        for (name, id) in compiled.captured { given[id] = captured[name]?.value }
        return try compiled.plan.run(given)
    }

    private func compile(
        _ inputs: [RuntimeValue], _ outer: [(String, Evaluation.Captured)], isLate: Bool, pool: ThreadPool
    ) throws -> Compiled {
        let program = Program(pool: pool)
        var lowering = Lowering(into: program, functions: functions, versions: versions)
        var captured: [(name: String, id: ValueID)] = []
        for (name, value) in outer {
            if value.isConstant, case .tensor(let tensor) = value.value {
                lowering.bind(name, to: program.constant(tensor, name: name))
            } else {
                let id = isLate ? program.addLateInput(name) : program.addInput(name, of: value.value)
                lowering.bind(name, to: id)
                captured.append((name, id))
            }
        }
        let ids = zip(graph.inputs, inputs).map { info, value in
            let name = info.name ?? ""
            return isLate ? program.addLateInput(name) : program.addInput(name, of: value)
        }
        for (info, id) in zip(graph.inputs, ids) { lowering.bind(info.name ?? "", to: id) }
        try lowering.lower(graph)
        let outputs = try graph.outputs.map { try lowering.output($0.name ?? "") }
        try Passes.forward(program, keeping: outputs)
        return Compiled(
            plan: try Plan(program, outputs: outputs), inputs: ids, captured: captured, outputs: outputs)
    }
}

extension RuntimeValue {
    /// `nil` for anything but a tensor of numbers.
    var fact: TensorFact? {
        if case .tensor(let tensor) = self, tensor.type != .string { tensor.fact } else { nil }
    }
}

extension Program {
    /// An input for values like this one.
    func addInput(_ name: String, of value: RuntimeValue) -> ValueID {
        value.fact.map { addInput(name, $0) } ?? addLateInput(name)
    }
}
