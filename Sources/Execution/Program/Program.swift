internal import ConverterKit

/// A graph as it is executed at given input extents: functions inlined, what is constant computed, the type and extents of
/// every value known, except behind operators whose output extents depend on the data.
///
/// Built by emitting one use of an operator after the other; `Plan` makes it runnable.
final class Program {
    struct ValueID: Hashable, Comparable, Sendable {
        let index: Int
        static func < (a: Self, b: Self) -> Bool { a.index < b.index }
    }

    struct Value {
        var name: String?
        /// `nil` until the program runs, for values behind a data-dependent extent, and for other things than tensors.
        var fact: TensorFact?
        var constant: TensorValue?
        var role = Role.computed

        enum Role: Hashable { case input, parameter, computed }
    }

    struct Instruction {
        var use: OperatorUse
        var operation: Operator
        var inputs: [ValueID?]
        var outputs: [ValueID?]
        /// `nil` for one that is prepared or evaluated only when its inputs are there.
        var prepared: Prepared?
        /// Values that the node's subgraphs read.
        var captures: [String: ValueID] = [:]
    }

    private(set) var values: [Value] = []
    private(set) var instructions: [Instruction] = []
    /// What parameters hold at first.
    private(set) var initial: [ValueID: TensorValue] = [:]
    let pool: ThreadPool

    /// The version of ONNX's operators in which the program's own nodes are emitted.
    static let version = 18
    /// Constants that are computed ahead are at most this large, unless they are views.
    static let largestFolded = 1 << 28

    init(pool: ThreadPool) { self.pool = pool }

    subscript(id: ValueID) -> Value { values[id.index] }

    /// The type and extents. Throws `execution.unsupported` for a value that has them only when the program runs.
    func fact(_ id: ValueID) throws -> TensorFact {
        guard let fact = values[id.index].fact else {
            throw ExecutionError.unsupported("the extents of \(values[id.index].name ?? "a value") depend on the data")
        }
        return fact
    }

    func setName(_ name: String, of id: ValueID) {
        if values[id.index].name == nil { values[id.index].name = name }
    }

    // MARK: - Values

    func addInput(_ name: String, _ fact: TensorFact) -> ValueID {
        add(Value(name: name, fact: fact, role: .input))
    }

    /// A value that stays in place between runs and may be changed in between.
    func addParameter(_ name: String, _ fact: TensorFact) -> ValueID {
        add(Value(name: name, fact: fact, role: .parameter))
    }

    /// A parameter with the value that it has at first.
    func addParameter(_ value: TensorValue, name: String) -> ValueID {
        let id = addParameter(name, value.fact)
        initial[id] = value
        return id
    }

    /// An input that is no tensor, or whose extents are not known.
    func addLateInput(_ name: String) -> ValueID { add(Value(name: name, role: .input)) }

    func constant(_ value: TensorValue, name: String? = nil) -> ValueID {
        add(Value(name: name, fact: value.fact, constant: value))
    }

    func constant(_ values: [Int]) throws -> ValueID {
        constant(try TensorValue(values.map { Int64($0) }, shape: [values.count]))
    }

    /// A scalar of the type of `id`.
    func scalar(_ value: Double, like id: ValueID) throws -> ValueID {
        try scalar(value, type: fact(id).type)
    }

    func scalar(_ value: Double, type: ElementType) throws -> ValueID {
        func make<T: Element>(_: T.Type) throws -> TensorValue {
            try TensorValue(elements: [T(clamping: value)], shape: [], type: type)
        }
        guard let element = type.storage?.element else { throw ExecutionError.type("\(type) holds no numbers") }
        return constant(try make(element))
    }

    /// A computed value of the same type and extents.
    func addTwin(of id: ValueID) -> ValueID { add(Value(name: self[id].name, fact: self[id].fact)) }

    private func add(_ value: Value) -> ValueID {
        values.append(value)
        return ValueID(index: values.count - 1)
    }

    // MARK: - Emission

    /// Adds a use of an operator of ONNX's, or of the program's own domain `rene`.
    @discardableResult
    func emit(
        _ name: String, domain: String = "", _ inputs: [ValueID?], _ attributes: AttributeList = [:], outputs: Int = 1
    ) throws -> [ValueID] {
        let use = OperatorUse(
            OperatorKey(domain: domain, name: name), attributes, version: Self.version, node: name)
        let made = try emit(use, inputs, wanted: [Bool](repeating: true, count: outputs))
        return made.compactMap { $0 }
    }

    /// The only output of a use of an operator.
    func one(_ name: String, domain: String = "", _ inputs: [ValueID?], _ attributes: AttributeList = [:]) throws
        -> ValueID
    {
        guard let output = try emit(name, domain: domain, inputs, attributes).first else {
            throw ExecutionError.internal("\(name) has no output")
        }
        return output
    }

    /// Adds a node. Computes it at once when it gives the same in every run. Throws with the node's name.
    func emit(
        _ use: OperatorUse, _ inputs: [ValueID?], wanted: [Bool], captures: [String: ValueID] = [:]
    ) throws -> [ValueID?] {
        do {
            return try add(use, inputs, wanted: wanted, captures: captures)
        } catch let error as ConversionError {
            throw error.at(ConversionError.Site(node: use.node))
        }
    }

    private func add(
        _ use: OperatorUse, _ inputs: [ValueID?], wanted: [Bool], captures: [String: ValueID]
    ) throws -> [ValueID?] {
        guard let operation = OperatorRegistry.named(use.key) else {
            throw ExecutionError.unsupported("the operator \(use.key) is not executed")
        }
        var instruction = Instruction(
            use: use, operation: operation, inputs: inputs, outputs: [], captures: captures)
        let stated = inputs.compactMap { $0 } + captures.values
        let isFoldable = operation.isPure && stated.allSatisfy { values[$0.index].constant != nil }
        switch operation.implementation {
        case .evaluation(let evaluate):
            if isFoldable {
                let call = Evaluation(
                    use: use, inputs: inputs.map { $0.flatMap { values[$0.index].constant }.map { .tensor($0) } },
                    wanted: wanted, pool: pool,
                    captured: captures.compactMapValues { id in
                        values[id.index].constant.map { Evaluation.Captured(value: .tensor($0), isConstant: true) }
                    })
                let results = try evaluate(call)
                if results.allSatisfy({ if case .tensor? = $0 { true } else { $0 == nil } }) {
                    return results.map { value in
                        if case .tensor(let tensor)? = value { constant(tensor) } else { nil }
                    }
                }
            }
        case .kernel(let prepare):
            guard stated.allSatisfy({ values[$0.index].fact != nil }) else { break }
            do {
                let preparation = Preparation(
                    use: use,
                    inputs: inputs.map { id in
                        id.flatMap { id in
                            values[id.index].fact.map {
                                Preparation.Input(fact: $0, constant: values[id.index].constant)
                            }
                        }
                    }, wanted: wanted, threads: pool.width)
                let prepared = try prepare(preparation)
                let size = prepared.outputs.reduce(0) { $0 + $1.byteCount }
                if isFoldable || prepared.isConstant, prepared.isView || size <= Self.largestFolded {
                    let constants = inputs.map { $0.flatMap { values[$0.index].constant } }
                    return try prepared.run(constants, pool: pool).enumerated().map {
                        wanted.indices.contains($0.offset) && wanted[$0.offset] ? constant($0.element) : nil
                    }
                }
                instruction.prepared = prepared
            } catch is ContentNeeded {}
        }
        let count = max(wanted.count, instruction.prepared?.outputs.count ?? 0)
        instruction.outputs = (0..<count).map { index in
            let isWanted = wanted.indices.contains(index) && wanted[index]
            if let prepared = instruction.prepared {
                return prepared.outputs.indices.contains(index) ? add(Value(fact: prepared.outputs[index])) : nil
            }
            return isWanted ? add(Value()) : nil
        }
        instructions.append(instruction)
        return wanted.indices.map { wanted[$0] ? instruction.outputs[$0] : nil }
    }

    /// Adds an instruction that is prepared already.
    func append(_ instruction: Instruction) { instructions.append(instruction) }

    /// Adds a use of an operator whose results are values that are there already, of the same types and extents; as a pass
    /// does that computes them in another way.
    func emit(
        _ name: String, domain: String = "", _ inputs: [ValueID?], _ attributes: AttributeList = [:],
        into outputs: [ValueID?], node: String
    ) throws {
        let use = OperatorUse(
            OperatorKey(domain: domain, name: name), attributes, version: Self.version, node: node)
        let count = instructions.count
        let made = try emit(use, inputs, wanted: outputs.map { $0 != nil })
        for (new, old) in zip(made, outputs) {
            guard let new, let old else { continue }
            guard values[new.index].fact == values[old.index].fact else {
                throw ExecutionError.internal("a pass has changed what \(node) gives")
            }
            values[old.index].constant = values[new.index].constant
        }
        guard instructions.count == count + 1 else { return }
        for (position, old) in outputs.enumerated() { if let old { instructions[count].outputs[position] = old } }
    }

    /// Puts other instructions in place of all, as a pass over the program does.
    func replaceInstructions(_ instructions: [Instruction]) { self.instructions = instructions }

    /// Inputs without which an instruction cannot run.
    static func reads(_ instruction: Instruction) -> [ValueID] {
        instruction.inputs.compactMap { $0 } + instruction.captures.values
    }
}

typealias ValueID = Program.ValueID

extension Prepared {
    /// Runs once in memory of its own.
    func run(_ inputs: [TensorValue?], pool: ThreadPool) throws -> [TensorValue] {
        if let results { return results }
        if isView, let input = inputs.first ?? nil, let fact = outputs.first {
            return [try input.viewed(as: fact)]
        }
        let results = try outputs.map { try TensorValue(type: $0.type, shape: $0.shape) }
        let memory = scratch > 0 ? Buffer(byteCount: scratch) : nil
        // The arguments hold addresses only.
        try withExtendedLifetime((inputs, results, memory)) {
            let arguments = unsafe KernelArguments(
                inputs: inputs.map { unsafe $0?.buffer.base }, outputs: results.map { unsafe $0.buffer.base },
                scratch: memory?.base, pool: pool)
            try kernel(arguments)
        }
        for result in results {
            unsafe Rounding.round(result.buffer.base, count: result.count, type: result.type)
        }
        return results
    }
}

extension TensorValue {
    /// The same bytes as a value of another type of the same storage, or of other extents.
    func viewed(as fact: TensorFact) throws -> TensorValue {
        if type == .string { return try reshaped(fact.shape) }
        return try TensorValue(type: fact.type, shape: fact.shape, buffer: buffer)
    }
}
