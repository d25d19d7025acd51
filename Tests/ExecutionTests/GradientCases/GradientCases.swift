@testable import Execution

/// The cases of the gradient suite. A family of operators is one file with its list, and one line here.
enum GradientCases {
    static let families: [[GradientCase]] = [
        IdentityCases.all,
        ShapeCases.all,
        LayoutCases.all,
        SelectingCases.all,
        ResizeCases.all,
        ElementwiseCases.all,
        ReductionCases.all,
        MatrixCases.all,
        ConvolutionCases.all,
        PoolingCases.all,
        NormalizationCases.all,
        LossCases.all,
        TrainingCases.all,
    ]

    static var all: [GradientCase] { families.flatMap { $0 } }

    /// Own operators without a case of their own, and why.
    static let exempt: [OperatorKey: String] = [:]
}
