@testable import Execution

enum PoolingCases {
    private static let (m, n) = (GradientCase.m, GradientCase.n)

    static let all = [
        GradientCase("MaxPool", ["kernel_shape": [2, 3], "pads": [1, 0, 0, 1]], [.varied([m, n, 5, 6])]),
        GradientCase(
            "MaxPool", ["kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1], [.varied([2, 2, 6, 7])]),
        GradientCase("MaxPool", ["kernel_shape": [3], "dilations": [2]], [.varied([2, 3, 9])]),
        GradientCase("AveragePool", ["kernel_shape": [2, 2], "strides": [2, 1]], [.varied([m, n, 5, 4])]),
        GradientCase(
            "AveragePool", ["kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1],
            [.varied([2, 2, 5, 4])]),
        GradientCase(
            "AveragePool",
            [
                "kernel_shape": [3, 2], "pads": [1, 1, 0, 1], "ceil_mode": 1, "strides": [2, 2],
                "count_include_pad": 1,
            ], [.varied([2, 2, 6, 4])], version: 19),
        GradientCase(
            "AveragePool", ["kernel_shape": [2, 2, 2], "auto_pad": "SAME_UPPER"], [.varied([1, 2, 3, 4, 3])]),
        GradientCase("GlobalAveragePool", [.varied([m, n, 3, 4])]),
        GradientCase("GlobalMaxPool", [.varied([m, n, 3, 4])]),
    ]
}
