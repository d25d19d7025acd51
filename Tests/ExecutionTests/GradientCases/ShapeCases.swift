@testable import Execution

enum ShapeCases {
    private static let (m, n, k) = (GradientCase.m, GradientCase.n, GradientCase.k)

    static let all = [
        GradientCase("Reshape", [.varied([m, 4, n]), .integers([0, 2, -1])]),
        GradientCase("Reshape", ["shape": [-1]], [.varied([m, n])], version: 1),
        GradientCase("Flatten", ["axis": 2], [.varied([m, 2, n, k])]),
        GradientCase("Flatten", ["axis": -1], [.varied([m, n, k])], version: 13),
        GradientCase("Flatten", ["axis": 0], [.varied([m, n])]),
        GradientCase("Squeeze", [.varied([1, m, 1, n]), .integers([0, -2])]),
        GradientCase("Squeeze", ["axes": [1]], [.varied([m, 1, n])], version: 11),
        GradientCase("Squeeze", [.varied([1, m, 1])], note: "every axis of extent 1"),
        GradientCase("Unsqueeze", [.varied([m, n]), .integers([-1, 0])]),
        GradientCase("Unsqueeze", ["axes": [1]], [.varied([m, n])], version: 11),
    ]
}
