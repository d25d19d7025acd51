internal import ConverterKit
internal import Glibc

extension Program {
    /// Puts the operator itself in place of activation functions that are spelled out, in any order of their
    /// operations.
    ///
    ///     Given    y = (x · ½) · (1 + Erf(x / √2))
    ///     Result   y = rene::ExactGelu(x)
    ///
    /// Before gradients are taken, so that those are the operator's own too.
    func recognizeActivations(keeping outputs: [ValueID]) throws {
        var replacements: [Int: Instruction] = [:]
        var removed: Set<Int> = []
        for tree in ElementwiseTrees(self, keeping: outputs).inner() {
            guard tree.inputs.count == 1, let root = tree.members.last, !removed.contains(root),
                let output = instructions[root].outputs[0],
                let function = ActivationPattern.all.first(where: { $0.matches(tree.expression) })
            else { continue }
            guard try fact(tree.inputs[0]) == fact(output) else { continue }
            replacements[root] = try instruction(
                function.key, tree.inputs, [:], giving: output, node: instructions[root].use.node)
            removed.formUnion(tree.members.dropLast())
        }
        if replacements.isEmpty { return }
        replaceInstructions(
            instructions.indices.filter { !removed.contains($0) }.map { replacements[$0] ?? instructions[$0] })
    }
}

/// A function and how its spelt-out forms are known: by their operations, all of which are analytic, and their values
/// at many points. Two such functions of a few operations that agree there are one.
struct ActivationPattern {
    let key: OperatorKey
    let value: @Sendable (Double) -> Double
    /// An operation that the form must have.
    let characteristic: Set<String>

    static let all = [
        ActivationPattern(
            key: OperatorKey(domain: "rene", name: "ExactGelu"), value: { GeluOperators.exact.value($0, .init()) },
            characteristic: ["Erf"]),
        ActivationPattern(
            key: OperatorKey(domain: "rene", name: "TanhGelu"), value: { GeluOperators.byTanh.value($0, .init()) },
            characteristic: ["Tanh", "Sigmoid"]),
        ActivationPattern(
            key: OperatorKey(domain: "", name: "Swish"), value: { $0 * ActivationOperators.logistic($0) },
            characteristic: ["Sigmoid"]),
        ActivationPattern(
            key: OperatorKey(domain: "", name: "Mish"), value: { $0 * tanh(ActivationOperators.softplus($0)) },
            characteristic: ["Softplus"]),
    ]

    private static let analytic: Set<String> = [
        "Add", "Sub", "Mul", "Div", "Pow", "Neg", "Reciprocal", "Erf", "Tanh", "Sigmoid", "Softplus",
    ]

    private static let points: [Double] =
        stride(from: -6, through: 6, by: 0.171875).map { $0 } + [-40, -15, -9, 9, 15, 40]

    func matches(_ expression: ElementwiseExpression) -> Bool {
        let names = Set(expression.steps.map(\.operation.key.name))
        guard names.isSubset(of: Self.analytic), !names.isDisjoint(with: characteristic), expression.steps.count > 1
        else { return false }
        // Constants are rounded to single precision.
        return Self.points.allSatisfy { abs(expression.evaluate(at: $0) - value($0)) <= 2e-6 * max(1, abs($0)) }
    }
}
