internal import ConverterKit

/// The rules by operator. A family is one file with its table, and one line here.
enum InferenceRegistry {
    static let families: [[String: InferenceRule]] = [
        ConstantRules.table,
        ElementwiseRules.table,
        NormalizationRules.table,
        MatrixRules.table,
        EinsumRules.table,
        ConvolutionRules.table,
        PoolingRules.table,
        ResizeRules.table,
        LayoutRules.table,
        JoiningRules.table,
        SelectingRules.table,
        ReductionRules.table,
        RecurrentRules.table,
        AttentionRules.table,
        QuantizationRules.table,
    ]

    private static let rules: [String: InferenceRule] = families.reduce(into: [:]) { all, family in
        all.merge(family) { first, _ in first }
    }

    /// The rule for the node's operator; `nil` for one without. Operators of other domains than ONNX's own stand in a
    /// family's table as `domain::Name`.
    static func rule(for node: Node) -> InferenceRule? {
        node.isStandard ? rules[node.operation] : rules["\(node.domain ?? "")::\(node.operation)"]
    }

    /// Every operator with a rule.
    static var operators: Set<String> { Set(rules.keys) }
}
