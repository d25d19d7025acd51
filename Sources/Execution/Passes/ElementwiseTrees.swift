internal import ConverterKit

/// The trees of elementwise instructions of a program whose inner values are read only by the tree itself.
struct ElementwiseTrees {
    /// One tree: what it computes, of which values, and which instructions it stands for, the root last.
    struct Tree {
        var expression: ElementwiseExpression
        var inputs: [ValueID]
        var members: [Int]
    }

    private let program: Program
    private let kept: Set<ValueID>
    private var uses: [Int]
    private var producers: [ValueID: Int] = [:]
    private var operations: [Int: ElementwiseOperation] = [:]

    static let mostInputs = 12
    static let mostSteps = 48

    init(_ program: Program, keeping outputs: [ValueID]) {
        self.program = program
        kept = Set(outputs)
        uses = [Int](repeating: 0, count: program.values.count)
        for (index, instruction) in program.instructions.enumerated() {
            for id in Program.reads(instruction) { uses[id.index] += 1 }
            if let operation = operation(of: instruction), let id = instruction.outputs.first ?? nil {
                operations[index] = operation
                producers[id] = index
            }
        }
    }

    /// `nil` for an instruction that no tree may hold.
    private func operation(of instruction: Program.Instruction) -> ElementwiseOperation? {
        guard let fact = instruction.prepared?.outputs.first, fact.type == .float32, fact.count > 0,
            instruction.outputs.count == 1, instruction.captures.isEmpty
        else { return nil }
        let operation = ElementwiseOperation(instruction.use, isStated: instruction.inputs.map { $0 != nil }) { index in
            instruction.inputs[index].flatMap { scalar($0) }
        }
        guard let operation, instruction.inputs.count >= operation.arity else { return nil }
        for id in instruction.inputs.prefix(operation.arity) {
            guard let id, let input = program[id].fact, input.type == .float32,
                FusedElementwise.Access(input.shape, in: fact.shape) != nil
            else { return nil }
        }
        return operation
    }

    /// The number that a constant of one element holds.
    private func scalar(_ id: ValueID) -> Float? {
        guard let constant = program[id].constant, constant.count == 1, constant.type == .float32 else { return nil }
        return try? constant.floats().first
    }

    /// The largest tree that ends in each instruction that no other tree takes in.
    func all() -> [Tree] {
        var taken: Set<Int> = []
        var trees: [Tree] = []
        for root in operations.keys.sorted(by: >) where !taken.contains(root) {
            guard let tree = tree(endingIn: root, mostSteps: Self.mostSteps) else { continue }
            taken.formUnion(tree.members)
            trees.append(tree)
        }
        return trees
    }

    /// By root, every tree, also those within others.
    func inner() -> [Tree] {
        operations.keys.sorted(by: >).compactMap { tree(endingIn: $0, mostSteps: Self.mostSteps) }
    }

    private func tree(endingIn root: Int, mostSteps: Int) -> Tree? {
        guard let output = program.instructions[root].outputs.first ?? nil, let shape = program[output].fact?.shape
        else { return nil }
        // Members grow from the root, as long as inputs and steps stay few.
        var members: Set<Int> = [root]
        var queue = [root]
        var inputs = operandIDs(of: root)
        while let next = queue.first {
            queue.removeFirst()
            for id in operandIDs(of: next) {
                guard let producer = producers[id], !members.contains(producer), uses[id.index] == 1,
                    !kept.contains(id), program[id].fact?.shape == shape, members.count < mostSteps
                else { continue }
                var others = inputs
                others.removeAll { $0 == id }
                for operand in operandIDs(of: producer) where !others.contains(operand) { others.append(operand) }
                guard others.count <= Self.mostInputs else { continue }
                inputs = others
                members.insert(producer)
                queue.append(producer)
            }
        }
        return assemble(members.sorted())
    }

    /// The operands that are no constants of one element, each once.
    private func operandIDs(of index: Int) -> [ValueID] {
        guard let arity = operations[index]?.arity else { return [] }
        var ids: [ValueID] = []
        for id in program.instructions[index].inputs.prefix(arity).compactMap({ $0 })
        where scalar(id) == nil && !ids.contains(id) {
            ids.append(id)
        }
        return ids
    }

    private func assemble(_ members: [Int]) -> Tree? {
        var inputs: [ValueID] = []
        var steps: [ElementwiseExpression.Step] = []
        var results: [ValueID: Int] = [:]
        for index in members {
            let instruction = program.instructions[index]
            guard let operation = operations[index], let output = instruction.outputs[0] else { return nil }
            let operands = instruction.inputs.prefix(operation.arity).compactMap { $0 }
                .map { id -> ElementwiseExpression.Operand in
                    if let step = results[id] { return .step(step) }
                    if let value = scalar(id) { return .constant(value) }
                    if let place = inputs.firstIndex(of: id) { return .input(place) }
                    inputs.append(id)
                    return .input(inputs.count - 1)
                }
            results[output] = steps.count
            steps.append(.init(operation: operation, operands: operands))
        }
        if inputs.isEmpty { return nil }
        return Tree(
            expression: ElementwiseExpression(inputCount: inputs.count, steps: steps), inputs: inputs,
            members: members)
    }
}

extension Program {
    /// An instruction of the program's own domain that gives the value `output`. Throws what the operator throws.
    func instruction(
        _ key: OperatorKey, _ inputs: [ValueID], _ attributes: AttributeList, giving output: ValueID, node: String
    )
        throws -> Instruction
    {
        guard let operation = OperatorRegistry.named(key), case .kernel(let prepare) = operation.implementation else {
            throw ExecutionError.internal("\(key) has no kernel")
        }
        let use = OperatorUse(key, attributes, version: Self.version, node: node)
        let prepared = try prepare(
            Preparation(
                use: use,
                inputs: inputs.map { Preparation.Input(fact: try fact($0), constant: self[$0].constant) },
                wanted: [true], threads: pool.width))
        guard prepared.outputs == [try fact(output)] else {
            throw ExecutionError.internal("\(key) gives \(prepared.outputs) for \(try fact(output))")
        }
        return Instruction(use: use, operation: operation, inputs: inputs, outputs: [output], prepared: prepared)
    }
}
