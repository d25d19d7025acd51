internal import ConverterKit

/// Joins batch normalization in training with the sum and the Relu that follow, before gradients are added.
///
///     Given   X ── BatchTraining ── Add(R) ── Relu ── Y
///     Result  X, R ── BatchTraining(lo: 0) ── Y
enum NormalizationFusion {
    static func apply(to program: Program, keeping outputs: [ValueID]) throws {
        let uses = ProgramUses(program, keeping: outputs)
        let old = program.instructions
        /// What is emitted in place of an instruction, and which are left out.
        var joined: [Int: Join] = [:]
        var isGone: Set<Int> = []
        for (index, instruction) in old.enumerated() where instruction.use.key == BatchTraining.key {
            guard instruction.inputs.count < 4, let y = instruction.outputs[0] else { continue }
            var join = Join(instruction: instruction, result: y, members: [index])
            if let next = uses.onlyReader(of: join.result), let residual = sum(old[next], with: join.result, program) {
                join.extend(next, old[next].outputs[0], residual: residual)
            }
            if let next = uses.onlyReader(of: join.result), old[next].use.key.name == "Relu",
                old[next].use.key.domain.isEmpty
            {
                join.extend(next, old[next].outputs[0], lo: 0)
            }
            guard join.members.count > 1, let last = join.members.last else { continue }
            joined[last] = join
            isGone.formUnion(join.members)
        }
        if joined.isEmpty { return }
        program.replaceInstructions([])
        for (index, instruction) in old.enumerated() {
            if let join = joined[index] {
                try join.emit(into: program)
            } else if !isGone.contains(index) {
                program.append(instruction)
            }
        }
    }

    /// The other operand of a sum of two values of the same extents.
    private static func sum(_ instruction: Program.Instruction, with id: ValueID, _ program: Program) -> ValueID? {
        guard instruction.use.key == OperatorKey(domain: "", name: "Add"), instruction.inputs.count == 2,
            let other = instruction.inputs.first(where: { $0 != id }) ?? nil, program[other].fact == program[id].fact
        else { return nil }
        return other
    }

    private struct Join {
        let instruction: Program.Instruction
        var result: ValueID
        var members: [Int]
        var residual: ValueID?
        var lo: Float?

        init(instruction: Program.Instruction, result: ValueID, members: [Int]) {
            (self.instruction, self.result, self.members) = (instruction, result, members)
        }

        mutating func extend(_ index: Int, _ output: ValueID?, residual: ValueID? = nil, lo: Float? = nil) {
            guard let output else { return }
            members.append(index)
            result = output
            self.residual = residual ?? self.residual
            self.lo = lo ?? self.lo
        }

        func emit(into program: Program) throws {
            var attributes = instruction.use.attributes
            if let lo { attributes.set("lo", lo) }
            var outputs = instruction.outputs
            outputs[0] = result
            try program.emit(
                "BatchTraining", domain: "rene", Array(instruction.inputs.prefix(3)) + [residual], attributes,
                into: outputs, node: instruction.use.node)
        }
    }
}
