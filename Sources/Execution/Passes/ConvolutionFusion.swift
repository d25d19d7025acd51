internal import ConverterKit

/// Joins a convolution with what follows it when the graph only runs forward: a batch normalization of fixed statistics goes
/// into its weight and bias, a sum and a limit into the same pass over the output.
///
///     Given   X ── Conv(W, B) ── BatchNormalization ── Add(R) ── Relu ── Y
///     Result  X, R ── FusedConv(s∘W, s∘(B − μ) + β; Relu) ── Y,    s = scale/√(σ² + ε)
enum ConvolutionFusion {
    /// - Parameter spared: Values that gradients will be taken of; what computes them stays as it is.
    static func apply(to program: Program, keeping outputs: [ValueID], sparing spared: Set<ValueID> = []) throws {
        let uses = ProgramUses(program, keeping: outputs)
        let old = program.instructions
        var joined: [Int: Join] = [:]
        var isGone: Set<Int> = []
        for (index, instruction) in old.enumerated() {
            guard var join = Join(instruction, at: index, program), !spared.contains(join.result) else { continue }
            while let next = uses.onlyReader(of: join.result), !isGone.contains(next),
                !old[next].outputs.contains(where: { $0.map(spared.contains) ?? false }),
                join.take(old[next], at: next, program)
            {}
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

    private struct Join {
        let instruction: Program.Instruction
        private(set) var result: ValueID
        private(set) var members: [Int]
        private var weight: ValueID
        private var bias: ValueID?
        private var residual: ValueID?
        private var limits: (lo: Float, hi: Float)?

        init?(_ instruction: Program.Instruction, at index: Int, _ program: Program) {
            guard instruction.use.key == OperatorKey(domain: "", name: "Conv"), instruction.prepared != nil,
                let y = instruction.outputs[0], let weight = instruction.inputs[1], program[y].fact?.type == .float32
            else { return nil }
            (self.instruction, result, members, self.weight) = (instruction, y, [index], weight)
            bias = instruction.inputs.count > 2 ? instruction.inputs[2] : nil
        }

        /// Takes the next instruction in, if it is of a kind that can follow what there is.
        mutating func take(_ next: Program.Instruction, at index: Int, _ program: Program) -> Bool {
            guard limits == nil, next.use.key.domain.isEmpty, next.prepared != nil, let output = next.outputs[0] else {
                return false
            }
            switch next.use.key.name {
            case "BatchNormalization":
                guard residual == nil, next.inputs[0] == result,
                    (try? normalize(next, program)) ?? false
                else { return false }
            case "Add":
                guard residual == nil, next.inputs.count == 2,
                    let other = next.inputs.first(where: { $0 != result }) ?? nil
                else { return false }
                // A sum with a constant by channel is a bias.
                guard program[other].fact == program[result].fact else { return false }
                residual = other
            case "Relu": limits = (0, .infinity)
            case "Clip":
                guard let bounds = Self.bounds(next, program) else { return false }
                limits = bounds
            default: return false
            }
            members.append(index)
            result = output
            return true
        }

        private static func bounds(_ clip: Program.Instruction, _ program: Program) -> (lo: Float, hi: Float)? {
            func bound(_ name: String, _ input: Int, otherwise value: Float) -> Float? {
                if let stated = clip.use.attributes.float(name) { return stated }
                guard clip.inputs.count > input, let id = clip.inputs[input] else { return value }
                return try? program[id].constant?.floats().first
            }
            guard let lo = bound("min", 1, otherwise: -.infinity), let hi = bound("max", 2, otherwise: .infinity)
            else { return nil }
            return (lo, hi)
        }

        /// False when the statistics are not constant.
        private mutating func normalize(_ next: Program.Instruction, _ program: Program) throws -> Bool {
            let inputs = next.inputs.compactMap { $0 }
            guard inputs.count >= 5, next.outputs.dropFirst().allSatisfy({ $0 == nil }),
                inputs[1...4].allSatisfy({ program[$0].constant != nil }), program[weight].constant != nil,
                bias.map({ program[$0].constant != nil }) ?? true,
                !next.use.attributes.flag("training_mode")
            else { return false }
            let (scale, shift, mean, variance) = (inputs[1], inputs[2], inputs[3], inputs[4])
            let epsilon = next.use.attributes.float("epsilon", otherwise: 1e-5)
            let deviation = try program.one(
                "Sqrt", [program.one("Add", [variance, program.scalar(Double(epsilon), like: variance)])])
            let factor = try program.one("Div", [scale, deviation])
            let shape = try program.fact(weight).shape
            let column = try program.one(
                "Reshape", [factor, program.constant([shape[0]] + shape.dropFirst().map { _ in 1 })])
            weight = try program.one("Mul", [weight, column])
            let centre = try bias.map { try program.one("Sub", [$0, mean]) } ?? program.one("Neg", [mean])
            bias = try program.one("Add", [program.one("Mul", [centre, factor]), shift])
            return true
        }

        func emit(into program: Program) throws {
            var attributes = instruction.use.attributes
            if let limits {
                attributes.set("activation", "Clip")
                attributes.set("activation_params", [limits.lo, limits.hi])
            }
            let isPlain = residual == nil && limits == nil
            try program.emit(
                isPlain ? "Conv" : "FusedConv", domain: isPlain ? "" : "com.microsoft",
                isPlain ? [instruction.inputs[0], weight, bias] : [instruction.inputs[0], weight, bias, residual],
                attributes, into: [result],
                node: instruction.use.node)
        }
    }
}
