@testable import Execution

/// Operators that move elements.
enum LayoutCases {
    private static let (m, n, k) = (GradientCase.m, GradientCase.n, GradientCase.k)
    private static let most = Int(Int64.max)

    static let all = [
        GradientCase("Transpose", [.varied([m, n, k])]),
        GradientCase("Transpose", ["perm": [1, 2, 0]], [.varied([m, n, k])]),
        GradientCase("DepthToSpace", ["blocksize": 2], [.varied([m, 8, n, k])], version: 13),
        GradientCase("DepthToSpace", ["blocksize": 2, "mode": "CRD"], [.varied([m, 8, n, k])], version: 13),
        GradientCase("SpaceToDepth", ["blocksize": 2], [.varied([m, n, 4, 6])], version: 13),
        GradientCase("Slice", [.varied([6, n]), .integers([1]), .integers([5]), .integers([0]), .integers([2])]),
        GradientCase(
            "Slice", [.varied([m, 7]), .integers([most]), .integers([-most]), .integers([-1]), .integers([-3])]),
        GradientCase("Slice", ["starts": [0, -3], "ends": [1, most]], [.varied([m, 5, k])], version: 9),
        GradientCase("Slice", [.varied([m, 3]), .integers([2]), .integers([1]), .integers([1])], note: "nothing"),
        GradientCase(
            "SliceGradient", domain: "rene", ["starts": [0, 5], "steps": [1, -2], "shape": [3, 7]],
            [.varied([3, 3])]),
        GradientCase("Concat", ["axis": 1], [.varied([m, 2, k]), .varied([m, n, k]), .varied([m, 1, k])]),
        GradientCase("Concat", ["axis": -3], [.varied([m, n, k]), .fixed([2, n, k]), .varied([3, n, k])]),
        GradientCase("Concat", ["axis": 0], [.varied([m, n])], note: "a single input"),
        GradientCase("Split", ["axis": 1], [.varied([m, 6]), .integers([1, 3, 2])], outputs: 3),
        GradientCase("Split", ["axis": 0, "num_outputs": 3], [.varied([7, n])], outputs: 3),
        GradientCase("Split", ["axis": -1, "split": [2, 2]], [.varied([m, 4])], outputs: 2, version: 11),
        GradientCase("Expand", [.varied([m, 1, k]), .integers([2, 1, 3, 1])]),
        GradientCase("Expand", [.varied([]), .integers([2, 3])]),
        GradientCase("Tile", [.varied([m, n, k]), .integers([2, 1, 3])]),
        GradientCase("Pad", [.varied([m, n]), .integers([1, 0, 2, 3])]),
        GradientCase("Pad", [.varied([5, n, k]), .integers([-1, 2]), .floats([3], shape: []), .integers([0])]),
        GradientCase("Pad", ["pads": [0, 1, 1, 0], "value": Float(2)], [.varied([m, n])], version: 2),
        GradientCase("Pad", ["mode": "reflect"], [.varied([4, m, 5]), .integers([3, 0, 2, 1, 0, 4])]),
        GradientCase("Pad", ["mode": "edge"], [.varied([m, n]), .integers([2, 0, 1, 3])]),
        GradientCase("Pad", ["mode": "edge"], [.varied([6, n]), .integers([-2, 0, 1, 0])]),
        GradientCase("Pad", ["mode": "wrap"], [.varied([3, n]), .integers([4, 0, 2, 0])]),
        GradientCase("CenterCropPad", [.varied([5, 4]), .integers([2, 7])]),
        GradientCase("CenterCropPad", ["axes": [1]], [.varied([m, 4, n]), .integers([3])]),
        GradientCase("Trilu", [.varied([m, n, k])]),
        GradientCase("Trilu", ["upper": 0], [.varied([m, n, k]), .integers([1], shape: [])]),
        GradientCase("ReverseSequence", [.varied([4, 3, k]), .integers([4, 1, 2])]),
        GradientCase(
            "ReverseSequence", ["batch_axis": 0, "time_axis": 1], [.varied([3, 5]), .integers([0, 5, 3])]),
    ]
}
