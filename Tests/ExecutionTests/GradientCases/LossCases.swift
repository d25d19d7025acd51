@testable import Execution

enum LossCases {
    private static let weights = GradientCase.Input.floats([0.5, 1.5, 1, 2])
    private static let targets = GradientCase.Input.integers([0, 3, 1])

    static let all =
        ["SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss"].flatMap { name in
            [
                GradientCase(name, [.varied([3, 4]), targets]),
                GradientCase(name, ["reduction": "sum"], [.varied([3, 4]), targets, weights]),
                GradientCase(name, ["reduction": "none"], [.varied([3, 4]), targets]),
                GradientCase(name, ["ignore_index": 3], [.varied([3, 4]), targets, weights]),
                GradientCase(
                    name, ["reduction": "mean"],
                    [.varied([2, 4, 3]), .integers([1, 0, 2, 3, 3, 1], shape: [2, 3]), weights]
                ),
            ]
        } + [
            GradientCase(
                "SoftmaxCrossEntropyLoss", [.varied([3, 4]), targets], outputs: 2, note: "with probabilities")
        ]
}
