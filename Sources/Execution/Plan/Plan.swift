internal import ConverterKit

/// A program that is ready to run: kernels in their order with places in one planned block of memory. Runs allocate
/// nothing, except for instructions whose extents depend on the data.
final class Plan {
    let program: Program
    let outputs: [ValueID]
    private let steps: [Step]
    private let memory: Buffer
    /// By value, of those that have a planned place.
    private let places: [Buffer?]
    /// By value, of those that are computed with extents of their own; filled while the plan runs.
    private var late: [RuntimeValue?]

    private enum Step {
        case kernel(Kernel, KernelArguments, [Rounded], instruction: Int)
        case late(instruction: Int)
    }

    struct Rounded {
        var place: Buffer
        var count: Int
        var type: ElementType
    }

    /// Bytes that the plan holds besides constants.
    var byteCount: Int { memory.byteCount }

    /// Multiply-accumulates of one run, of the instructions whose extents are known.
    let macs: Int

    /// Throws `execution.memory` when the values would take more than `memoryLimit` bytes.
    init(_ program: Program, outputs: [ValueID], memoryLimit: Int? = nil) throws {
        self.program = program
        self.outputs = outputs
        let layout = MemoryLayoutPlan(program, outputs: outputs)
        if let memoryLimit, layout.byteCount > memoryLimit {
            throw ExecutionError.memory("the graph's values take \(layout.byteCount) bytes at once")
        }
        let memory = Buffer(byteCount: layout.byteCount)
        let places = layout.places(in: memory)
        (self.memory, self.places) = (memory, places)
        late = [RuntimeValue?](repeating: nil, count: program.values.count)
        var steps: [Step] = []
        var macs = 0
        for (position, index) in layout.order.enumerated() {
            let instruction = program.instructions[index]
            guard let prepared = instruction.prepared, !layout.isLate[index] else {
                steps.append(.late(instruction: index))
                continue
            }
            macs += prepared.macs
            if prepared.isView { continue }
            let arguments = unsafe KernelArguments(
                inputs: instruction.inputs.map { id in unsafe id.flatMap { unsafe places[$0.index]?.base } },
                outputs: instruction.outputs.map { id in unsafe id.flatMap { unsafe places[$0.index]?.base } },
                scratch: layout.scratch(of: position, in: memory)?.base, pool: program.pool)
            let rounded = instruction.outputs.compactMap { id -> Rounded? in
                guard let id, let fact = program[id].fact, Rounding.isNeeded(fact.type),
                    let place = places[id.index]
                else { return nil }
                return Rounded(place: place, count: fact.count, type: fact.type)
            }
            steps.append(.kernel(prepared.kernel, arguments, rounded, instruction: index))
        }
        self.steps = steps
        self.macs = macs
        for (id, value) in program.initial { try set(id, to: .tensor(value)) }
    }

    /// The memory of a parameter, an input or an output that stays.
    func place(of id: ValueID) -> Buffer? { places[id.index] }

    /// Copies a value into its place. Throws `execution.shape` or `execution.type` when it is another one.
    func set(_ id: ValueID, to value: RuntimeValue) throws {
        guard let fact = program[id].fact, let place = places[id.index] else {
            late[id.index] = value
            return
        }
        let tensor = try value.tensor()
        guard tensor.fact == fact else {
            throw ExecutionError.shape(
                "\(program[id].name ?? "an input") is \(tensor.type) \(tensor.shape) where \(fact.type) \(fact.shape) is planned"
            )
        }
        unsafe place.base.copyMemory(from: tensor.buffer.base, byteCount: fact.byteCount)
    }

    /// Runs with the inputs that have been set. Throws with the name of the node.
    func run() throws {
        for step in steps {
            switch step {
            case .kernel(let kernel, let arguments, let rounded, let index):
                do {
                    try kernel(arguments)
                } catch let error as ConversionError {
                    throw error.at(.init(node: program.instructions[index].use.node))
                }
                for value in rounded { unsafe Rounding.round(value.place.base, count: value.count, type: value.type) }
            case .late(let index):
                do {
                    try runLate(program.instructions[index])
                } catch let error as ConversionError {
                    throw error.at(.init(node: program.instructions[index].use.node))
                }
            }
        }
    }

    /// Sets the inputs, runs, and copies the outputs.
    func run(_ inputs: [ValueID: RuntimeValue]) throws -> [RuntimeValue] {
        for (id, value) in inputs { try set(id, to: value) }
        try run()
        let results = try outputs.map { try value(of: $0, copying: true) }
        for index in late.indices where program.values[index].role == .computed { late[index] = nil }
        return results
    }

    /// What a value holds now: in memory of its own when copied, else in the plan's, until the next run.
    func value(of id: ValueID, copying: Bool) throws -> RuntimeValue {
        if let constant = program[id].constant { return .tensor(constant) }
        if let place = places[id.index], let fact = program[id].fact {
            if !copying { return .tensor(try TensorValue(type: fact.type, shape: fact.shape, buffer: place)) }
            let copy = try TensorValue(type: fact.type, shape: fact.shape)
            unsafe copy.buffer.base.copyMemory(from: place.base, byteCount: fact.byteCount)
            return .tensor(copy)
        }
        guard let value = late[id.index] else { throw ExecutionError.internal("a value is read before it is there") }
        return value
    }

    private func runLate(_ instruction: Program.Instruction) throws {
        let inputs = try instruction.inputs.map { try $0.map { try value(of: $0, copying: false) } }
        let results: [RuntimeValue?]
        switch instruction.operation.implementation {
        case .evaluation(let evaluate):
            let wanted = instruction.outputs.map { $0 != nil }
            let captured = try instruction.captures.mapValues { id in
                Evaluation.Captured(
                    value: try value(of: id, copying: true), isConstant: program[id].constant != nil)
            }
            // What an evaluation returns may hold on to its inputs; those in planned memory are overwritten later.
            let kept = try instruction.inputs.map { try $0.map { try value(of: $0, copying: true) } }
            results = try evaluate(
                Evaluation(
                    use: instruction.use, inputs: kept, wanted: wanted, pool: program.pool, captured: captured))
        case .kernel(let prepare):
            let tensors = try inputs.map { try $0?.tensor() }
            let prepared = try prepare(
                Preparation(
                    use: instruction.use,
                    inputs: tensors.map { $0.map { Preparation.Input(fact: $0.fact, constant: $0) } },
                    wanted: instruction.outputs.map { $0 != nil }, threads: program.pool.width))
            results = try prepared.run(tensors, pool: program.pool).map { .tensor($0) }
        }
        for (position, id) in instruction.outputs.enumerated() {
            guard let id else { continue }
            guard results.indices.contains(position), let value = results[position] else {
                throw ExecutionError.unsupported("\(instruction.use.key) does not give its output \(position)")
            }
            late[id.index] = value
        }
    }
}
