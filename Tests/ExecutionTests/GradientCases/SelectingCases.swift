@testable import Execution

/// Operators that take or put elements by their indices.
enum SelectingCases {
    private static let (m, n, k) = (GradientCase.m, GradientCase.n, GradientCase.k)

    static let all = [
        GradientCase("Gather", [.varied([5, n]), .integers([4, 0, -2, 4], shape: [2, 2])]),
        GradientCase("Gather", ["axis": -1], [.varied([m, n, 3]), .integers([2], shape: [])]),
        GradientCase("Gather", ["axis": 1], [.varied([m, 4, k]), .integers([1, 1, 1])]),
        GradientCase(
            "GatherGradient", domain: "rene", ["axis": 1, "shape": [2, 4, 3]],
            [.varied([2, 3, 3]), .integers([1, 3, 1])]),
        GradientCase("GatherElements", ["axis": 1], [.varied([2, 3]), .integers([0, 0, 2, 1], shape: [2, 2])]),
        GradientCase("GatherElements", [.varied([3, 3]), .integers([-1, 0, 1, 2, 2, 2], shape: [2, 3])]),
        GradientCase("GatherND", [.varied([3, 2, n]), .integers([0, 1, -1, 0, 0, 1], shape: [3, 2])]),
        GradientCase(
            "GatherND", ["batch_dims": 1], [.varied([2, 3, n]), .integers([1, 2, 2, 2], shape: [2, 2, 1])]),
        GradientCase(
            "GatherNDGradient", domain: "rene", ["batch_dims": 1, "shape": [2, 3, 4]],
            [.varied([2, 2, 4]), .integers([1, 2, 0, 0], shape: [2, 2, 1])]),
        GradientCase(
            "ScatterElements", ["axis": 1],
            [.varied([2, 4]), .integers([0, 3, 2, -3], shape: [2, 2]), .varied([2, 2])]),
        GradientCase(
            "ScatterElements", ["reduction": "add"],
            [.varied([3, 2]), .integers([0, 2, 0, 2, 1, -1], shape: [3, 2]), .varied([3, 2])]),
        GradientCase(
            "Scatter", ["axis": 0], [.varied([3, 2]), .integers([0, 2], shape: [1, 2]), .varied([1, 2])], version: 9),
        GradientCase("ScatterND", [.varied([4, n]), .integers([2, 0], shape: [2, 1]), .varied([2, n])]),
        GradientCase(
            "ScatterND", ["reduction": "add"],
            [.varied([4, 2]), .integers([2, 0, 2, 0, 1, 1], shape: [3, 2]), .varied([3])]),
        GradientCase("TopK", [.varied([m, 5]), .integers([2])], outputs: 2),
        GradientCase("TopK", ["axis": 0, "largest": 0], [.varied([4, n]), .integers([3])], outputs: 2),
        GradientCase("TopK", ["axis": 1, "k": 1], [.varied([m, 4, k])], outputs: 2, version: 1),
    ]
}
