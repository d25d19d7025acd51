internal import ConverterKit

/// Runs a chain of convolutions without anything in between as the one convolution that it equals, where that costs less:
/// the product of the factors is computed from them, so gradients reach them through it.
///
///     Given   X ── Conv(A) ── Conv(B) ── Conv(C, bias) ── Y
///     Result  X ── Conv(C·B·A, bias) ── Y
///
/// Exact where one of each two kernels is 1×1, or they lie along different axes, and inner convolutions have no bias. Source:
/// Kim et al., arXiv 1511.06530 (Tucker-2), Lebedev et al., arXiv 1412.6553 (CP): the chain is the convolution with the
/// contracted tensor.
enum ChainContraction {
    static func apply(to program: Program, keeping outputs: [ValueID]) throws {
        let uses = ProgramUses(program, keeping: outputs)
        let old = program.instructions
        var chains: [Int: [Int]] = [:]
        var isTaken: Set<Int> = []
        for (index, instruction) in old.enumerated() where !isTaken.contains(index) {
            guard isLink(instruction, program) else { continue }
            var members = [index]
            while let last = members.last, bias(of: old[last]) == nil, let output = old[last].outputs[0],
                let next = uses.onlyReader(of: output), isLink(old[next], program), old[next].inputs[0] == output
            {
                members.append(next)
            }
            guard members.count > 1, let last = members.last,
                try pays(members.map { try shape(of: old[$0], program) })
            else { continue }
            chains[last] = members
            isTaken.formUnion(members)
        }
        if chains.isEmpty { return }
        program.replaceInstructions([])
        for (index, instruction) in old.enumerated() {
            if let members = chains[index] {
                try emit(members.map { old[$0] }, into: program)
            } else if !isTaken.contains(index) {
                program.append(instruction)
            }
        }
    }

    private static func isLink(_ instruction: Program.Instruction, _ program: Program) -> Bool {
        guard instruction.use.key == OperatorKey(domain: "", name: "Conv"), instruction.prepared != nil,
            let x = instruction.inputs[0], let fact = program[x].fact
        else { return false }
        return fact.type == .float32 && fact.shape.count == 4
    }

    private static func bias(of instruction: Program.Instruction) -> ValueID? {
        instruction.inputs.count > 2 ? instruction.inputs[2] : nil
    }

    private static func shape(of instruction: Program.Instruction, _ program: Program) throws -> ConvolutionShape {
        guard let x = instruction.inputs[0], let weight = instruction.inputs[1] else {
            throw ExecutionError.missingInput("of a convolution")
        }
        return try ConvolutionShape(
            instruction.use.attributes, input: program.fact(x).shape, weight: program.fact(weight).shape)
    }

    // MARK: - Cost

    /// What it takes to write one element of a tensor between two links and to read it again, in multiply-accumulates of
    /// a dense convolution in the same time; measured on ResNet-20.
    static let elementCost = 40
    /// Depthwise kernels reuse nothing and run at a fraction of the speed.
    static let depthwiseFactor = 4

    private static func pays(_ links: [ConvolutionShape]) throws -> Bool {
        guard var product = links.first else { return false }
        for link in links.dropFirst() {
            guard let next = contracted(product, link) else { return false }
            product = next
        }
        let chain = links.reduce(0) { sum, link in
            sum + link.macs * (link.groups > 1 ? depthwiseFactor : 1) + link.outputCount * elementCost
        }
        return product.macs + product.outputCount * elementCost <= chain
    }

    /// The one convolution that two equal; `nil` when that is not exact.
    static func contracted(_ a: ConvolutionShape, _ b: ConvolutionShape) -> ConvolutionShape? {
        guard a.groups == 1 || a.isDepthwise, b.groups == 1 || b.isDepthwise else { return nil }
        var (kernel, strides, dilations) = (a.kernel, a.strides, a.dilations)
        var (before, after) = (a.padsBefore, a.padsAfter)
        for axis in a.kernel.indices {
            if a.isPointwise(axis) {
                (kernel[axis], strides[axis], dilations[axis]) = (b.kernel[axis], b.strides[axis], b.dilations[axis])
                (before[axis], after[axis]) = (b.padsBefore[axis], b.padsAfter[axis])
            } else if !b.isPointwise(axis) {
                return nil
            }
        }
        // A kernel behind one with strides along another axis sees fewer rows, which is the same; padding of the inner
        // tensor is padding of the input, since inner convolutions have no bias.
        let groups = a.isDepthwise && b.isDepthwise ? a.groups : 1
        return try? ConvolutionShape(
            batch: a.batch, inChannels: a.inChannels, outChannels: b.outChannels, groups: groups, input: a.input,
            kernel: kernel, strides: strides, dilations: dilations, padsBefore: before, padsAfter: after)
    }

    // MARK: - Emission

    private static func emit(_ members: [Program.Instruction], into program: Program) throws {
        guard let first = members.first, let last = members.last, var weight = first.inputs[1] else { return }
        var product = try shape(of: first, program)
        for member in members.dropFirst() {
            let next = try shape(of: member, program)
            guard let factor = member.inputs[1], let contracted = contracted(product, next) else {
                throw ExecutionError.internal("a chain of convolutions is not contracted")
            }
            weight = try multiply(weight, product, factor, next, contracted, program)
            product = contracted
        }
        try program.emit(
            "Conv", [first.inputs[0], weight, bias(of: last)], product.attributes, into: last.outputs,
            node: last.use.node)
    }

    /// The weight of the convolution that two equal, from theirs.
    private static func multiply(
        _ a: ValueID, _ first: ConvolutionShape, _ b: ValueID, _ second: ConvolutionShape, _ product: ConvolutionShape,
        _ program: Program
    ) throws -> ValueID {
        func reshape(_ id: ValueID, _ shape: [Int]) throws -> ValueID {
            try program.one("Reshape", [id, program.constant(shape)])
        }
        let (taps1, taps2) = (first.taps, second.taps)
        if second.isDepthwise {
            // W[r, c, i, j] = B[r, i, j] · A[r, c, i, j], kernels of extent 1 broadcast.
            return try program.one("Mul", [a, b])
        }
        if first.isDepthwise {
            // W[o, r, i, j] = B[o, r, i, j] · A[r, i, j]
            return try program.one("Mul", [b, reshape(a, [1, first.outChannels] + first.kernel)])
        }
        let (inner, inputs, outputs) = (first.outChannels, first.inChannels, second.outChannels)
        let left = try program.one(
            "Transpose", [reshape(b, [outputs, inner, taps2])], ["perm": [0, 2, 1]])
        // [outputs·taps2, inner] · [inner, inputs·taps1]
        let matrix = try program.one(
            "MatMul", [reshape(left, [outputs * taps2, inner]), reshape(a, [inner, inputs * taps1])])
        if taps2 == 1 { return try reshape(matrix, [outputs, inputs] + product.kernel) }
        // Each axis has taps in one of the two only: [outputs, k2…, inputs, k1…] to [outputs, inputs, kernel…].
        let axes = first.kernel.count
        let full = try reshape(matrix, [outputs] + second.kernel + [inputs] + first.kernel)
        let order = [0, axes + 1] + (0..<axes).flatMap { [1 + $0, axes + 2 + $0] }
        return try reshape(
            program.one("Transpose", [full], ["perm": order]), [outputs, inputs] + product.kernel)
    }
}

extension ConvolutionShape {
    var isDepthwise: Bool { groups > 1 && groups == inChannels && groups == outChannels }

    /// Along this axis the output is the input, element for element.
    func isPointwise(_ axis: Int) -> Bool {
        kernel[axis] == 1 && strides[axis] == 1 && padsBefore[axis] == 0 && padsAfter[axis] == 0
    }
}
