@testable import Execution

enum LossCases {
    static let all = ["none", "sum", "mean"].flatMap { reduction in
        [
            GradientCase(
                "SoftmaxCrossEntropyLoss", ["reduction": reduction], [.varied([3, 4]), .integers([0, 3, 1])]),
            GradientCase(
                "SoftmaxCrossEntropyLoss", ["reduction": reduction, "ignore_index": 3],
                [.varied([3, 4]), .integers([0, 3, 1]), .floats([0.5, 1, 2, 0.25])], note: "weighted, one ignored"),
            GradientCase(
                "SoftmaxCrossEntropyLoss", ["reduction": reduction],
                [.varied([2, 3, 2]), .integers([0, 2, 1, 1], shape: [2, 2])], outputs: 2,
                note: "with places, and its logarithms"),
            GradientCase(
                "NegativeLogLikelihoodLoss", ["reduction": reduction], [.varied([3, 4]), .integers([0, 3, 1])]),
            GradientCase(
                "NegativeLogLikelihoodLoss", ["reduction": reduction, "ignore_index": 1],
                [.varied([2, 3, 2]), .integers([0, 2, 1, 1], shape: [2, 2]), .floats([0.5, 1, 2])],
                note: "weighted, with places, two ignored"),
        ]
    }
}
