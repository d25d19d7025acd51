@testable import Execution

/// Interpolation.
enum ResizeCases {
    private static let (m, n, k) = (GradientCase.m, GradientCase.n, GradientCase.k)

    static let all = [
        GradientCase("Resize", [.varied([1, m, 3, 4]), nil, .floats([1, 1, 2, 1.5])]),
        GradientCase("Resize", ["mode": "linear"], [.varied([m, n, 3, 4]), nil, .floats([1, 1, 2, 0.6])]),
        GradientCase(
            "Resize", ["mode": "linear", "coordinate_transformation_mode": "align_corners"],
            [.varied([2, 2, 3, 4]), nil, nil, .integers([2, 2, 5, 7])], note: "sizes"),
        GradientCase(
            "Resize", ["mode": "linear", "antialias": 1, "axes": [2, 1]],
            [.varied([m, 6, 9]), nil, nil, .integers([4, 3])]),
        GradientCase(
            "Resize", ["mode": "cubic", "exclude_outside": 1],
            [.varied([1, m, 4, 5]), nil, .floats([1, 1, 1.7, 0.8])]),
        GradientCase("Resize", ["mode": "cubic"], [.varied([m, 4, 5]), nil, .floats([1, 2, 2])]),
        GradientCase(
            "Resize", ["mode": "linear", "coordinate_transformation_mode": "tf_crop_and_resize"],
            [.varied([2, 4, 4]), .floats([0, 0.2, 0.4, 1, 0.8, 1.2]), nil, .integers([2, 3, 3])]),
        GradientCase("Resize", [.varied([m, 4]), .floats([1, 2.5])], version: 10),
        GradientCase("Upsample", ["mode": "linear"], [.varied([1, m, 3, 3]), .floats([1, 1, 2, 3])], version: 9),
        GradientCase("Upsample", ["scales": [1, 1, 2, 2] as [Float]], [.varied([1, m, 3, n])], version: 7),
        GradientCase(
            "AxisMix", domain: "rene",
            [
                "axis": 1, "extent": 3, "starts": [0, 2, 2, 3], "sources": [0, 2, 1],
                "weights": [0.5, 2, -1] as [Float],
            ], [.varied([m, 3, n])]),
    ]
}
