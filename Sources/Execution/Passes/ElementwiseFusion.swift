internal import ConverterKit

extension Program {
    /// Puts one instruction in place of each tree of elementwise instructions in single precision.
    ///
    ///     Given    u = x · a;  v = u + b;  y = Relu(v)
    ///     Result   y = rene::Elementwise(x, a, b)
    ///
    /// Values that are read several times, or asked for, stay; so do single instructions. Gradients are taken before.
    func fuseElementwise(keeping outputs: [ValueID]) throws {
        var replacements: [Int: Instruction] = [:]
        var removed: Set<Int> = []
        for tree in ElementwiseTrees(self, keeping: outputs).all() where tree.members.count > 1 {
            guard let root = tree.members.last, let output = instructions[root].outputs[0] else { continue }
            guard try BroadcastLoops.common(tree.inputs.map { try fact($0).shape }) == fact(output).shape else {
                continue
            }
            replacements[root] = try instruction(
                FusedElementwise.key, tree.inputs, tree.expression.attributes, giving: output,
                node: instructions[root].use.node)
            removed.formUnion(tree.members.dropLast())
        }
        if replacements.isEmpty { return }
        replaceInstructions(
            instructions.indices.filter { !removed.contains($0) }.map { replacements[$0] ?? instructions[$0] })
    }
}
