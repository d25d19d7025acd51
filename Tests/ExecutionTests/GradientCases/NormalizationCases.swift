@testable import Execution

enum NormalizationCases {
    private static let (m, n) = (GradientCase.m, GradientCase.n)
    private static let positive = GradientCase.Values.uniform(0.5...2)

    static let all = [
        GradientCase(
            "BatchNormalization",
            [.varied([m, n, 3]), .varied([n]), .varied([n]), .varied([n]), .varied([n], positive)], version: 15),
        GradientCase(
            "BatchNormalization", ["training_mode": 1, "epsilon": Float(1e-3)],
            [.varied([m, n, 3, 2]), .varied([n]), .varied([n]), .fixed([n]), .fixed([n], positive)], version: 15,
            note: "the batch's own statistics"),
        GradientCase("InstanceNormalization", [.varied([m, n, 4, 3]), .varied([n]), .varied([n])]),
        GradientCase(
            "GroupNormalization", ["num_groups": 2], [.varied([m, 4, 3]), .varied([2]), .varied([2])], version: 18),
        GradientCase(
            "GroupNormalization", ["num_groups": 2], [.varied([m, 4, 3]), .varied([4]), .varied([4])], version: 21),
        GradientCase("LayerNormalization", [.varied([m, n, 6]), .varied([6]), .varied([6])]),
        GradientCase("LayerNormalization", ["axis": 1], [.varied([m, n, 3]), .varied([n, 3])], note: "without bias"),
        GradientCase("LayerNormalization", ["axis": -2], [.varied([m, 4, 3]), .varied([3]), .varied([1])]),
        GradientCase("RMSNormalization", [.varied([m, n, 6]), .varied([6])], version: 23),
        GradientCase("SimplifiedLayerNormalization", ["axis": -1], [.varied([m, 6]), .varied([6])]),
        GradientCase(
            "SimplifiedLayerNormalization", domain: "com.microsoft", [.varied([m, 6]), .varied([6])], version: 1),
    ]
}
