/// The passes over a program, in the order in which they are right.
enum Passes {
    /// For a program that only runs forward. What is read as it comes out of a layer has to be among `outputs`.
    static func forward(_ program: Program, keeping outputs: [ValueID]) throws {
        removeUnread(program, keeping: outputs)
        try program.recognizeActivations(keeping: outputs)
        try ChainContraction.apply(to: program, keeping: outputs)
        try ConvolutionFusion.apply(to: program, keeping: outputs)
        try LaneRewrite.apply(to: program, keeping: outputs)
        try program.fuseElementwise(keeping: outputs)
    }

    /// Leaves out what no output needs, so that nobody counts it among the readers of a value.
    static func removeUnread(_ program: Program, keeping outputs: [ValueID]) {
        var isRead = [Bool](repeating: false, count: program.values.count)
        for id in outputs { isRead[id.index] = true }
        var kept: [Program.Instruction] = []
        for instruction in program.instructions.reversed()
        where instruction.outputs.contains(where: { $0.map { isRead[$0.index] } ?? false }) {
            kept.append(instruction)
            for id in Program.reads(instruction) { isRead[id.index] = true }
        }
        program.replaceInstructions(kept.reversed())
    }
}
