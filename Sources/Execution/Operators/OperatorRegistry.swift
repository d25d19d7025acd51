internal import ConverterKit

/// The operators that are executed. A family is one file with its list, and one line here.
enum OperatorRegistry {
    static let families: [[Operator]] = [
        IdentityOperators.all,
        ShapeOperators.all,
        PermutationOperators.all,
        SliceOperators.all,
        JoiningOperators.all,
        RepeatOperators.all,
        PadOperators.all,
        SequenceOrderOperators.all,
        ColumnOperators.all,
        GatherOperators.all,
        ScatterOperators.all,
        TopKOperators.all,
        FilteringOperators.all,
        OneHotOperators.all,
        NonMaxSuppressionOperators.all,
        ResizeOperators.all,
        GridOperators.all,
        RegionOperators.all,
        FillingOperators.all,
        RandomOperators.all,
        WindowOperators.all,
        SpectrumOperators.all,
        DeterminantOperators.all,
        ControlOperators.all,
        ScanOperators.all,
        SequenceOperators.all,
        RecurrentOperators.all,
        LossOperators.all,
        QuantizeOperators.all,
        IntegerProductOperators.all,
        IntegerConvolutionOperators.all,
        QuantizedArithmeticOperators.all,
        StringOperators.all,
        TfIdfOperators.all,
        TreeOperators.all,
        LinearModelOperators.all,
        FeatureOperators.all,
        MatrixOperators.all,
        EinsumOperators.all,
        ConvolutionOperators.all,
        DeformableConvolutionOperators.all,
        TransposedConvolutionOperators.all,
        BatchNormalizationOperators.all,
        MaxPoolingOperators.all,
        AveragePoolingOperators.all,
        GlobalPoolingOperators.all,
        LayerNormalizationOperators.all,
        SkipNormalizationOperators.all,
        GroupNormalizationOperators.all,
        LocalResponseOperators.all,
        AttentionOperators.all,
        PackedAttentionOperators.all,
        MultiHeadAttentionOperators.all,
        RotaryOperators.all,
        EmbeddingNormalizationOperators.all,
        LaneLayout.operators,
        LaneConvolution.operators,
        ArithmeticOperators.all,
        VariadicOperators.all,
        PowerOperators.all,
        ComparisonOperators.all,
        LogicalOperators.all,
        SelectionOperators.all,
        ClipOperators.all,
        MathOperators.all,
        ActivationOperators.all,
        GeluOperators.all,
        ClassificationOperators.all,
        CastOperators.all,
        FusedElementwise.all,
        ReductionOperators.all,
        SoftmaxOperators.all,
        SelectionReductions.all,
        NormalizationOperators.all,
        BatchTraining.operators,
    ]

    private static let byKey: [OperatorKey: Operator] = Dictionary(
        families.joined().map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })

    static var all: [Operator] { families.flatMap { $0 } }

    /// Derivatives that are computed element by element.
    static var elementwiseGradients: [OperatorKey] {
        [MathOperators.all, ActivationOperators.all, GeluOperators.all, ClipOperators.all].joined().map(\.key)
            .filter { $0.domain == "rene" }
    }

    static func named(_ key: OperatorKey) -> Operator? { byKey[key] }
}
