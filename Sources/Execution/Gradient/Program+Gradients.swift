internal import ConverterKit

extension Program {
    /// Adds the reverse pass: `∂L/∂target` for each target, given `∂L/∂value` of some values. `nil` where a target does
    /// not matter. Throws `execution.no-gradient` for an operator on the way that has none.
    ///
    /// Each instruction's vector-Jacobian product is made of further instructions, so that the planning of memory and the
    /// fusions hold for them as well.
    func addGradients(of seeds: [ValueID: ValueID], for targets: [ValueID]) throws -> [ValueID?] {
        var depends = [Bool](repeating: false, count: values.count)
        for id in targets { depends[id.index] = true }
        let forward = instructions
        for instruction in forward where Self.reads(instruction).contains(where: { depends[$0.index] }) {
            for id in instruction.outputs.compactMap({ $0 }) {
                // What has no derivative ends the dependence: indices, masks, shapes.
                if self[id].fact.map({ $0.type.isFloating }) ?? true { depends[id.index] = true }
            }
        }
        var gradients = seeds
        for instruction in forward.reversed() {
            let arriving = instruction.outputs.map { $0.flatMap { gradients[$0] } }
            let wants = instruction.inputs.map { $0.map { depends[$0.index] } ?? false }
            guard arriving.contains(where: { $0 != nil }), wants.contains(true) else { continue }
            guard let rule = instruction.operation.gradient, instruction.prepared != nil else {
                throw ExecutionError.noGradient("\(instruction.use.key) has no gradient here")
                    .at(.init(node: instruction.use.node))
            }
            let context = GradientContext(
                program: self, use: instruction.use, inputs: instruction.inputs, outputs: instruction.outputs,
                gradients: arriving, wants: wants)
            do {
                for (input, gradient) in zip(instruction.inputs, try rule(context)) {
                    guard let input, let gradient, depends[input.index] else { continue }
                    guard try fact(gradient).shape == fact(input).shape else {
                        throw ExecutionError.internal(
                            "the gradient of \(instruction.use.key) is \(try fact(gradient).shape) for \(try fact(input).shape)"
                        )
                    }
                    gradients[input] = try gradients[input].map { try one("Add", [$0, gradient]) } ?? gradient
                }
            } catch let error as ConversionError {
                throw error.at(.init(node: instruction.use.node))
            }
        }
        return targets.map { gradients[$0] }
    }
}
