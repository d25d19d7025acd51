@testable import Execution

enum ReductionCases {
    private static let (m, n) = (GradientCase.m, GradientCase.n)

    private static let names = [
        "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum",
        "ReduceLogSumExp", "ReduceSumSquare",
    ]

    static let all: [GradientCase] =
        names.flatMap { name -> [GradientCase] in
            let values: GradientCase.Values = name == "ReduceLogSum" ? .apart(0.5...2) : .apart(-2...2)
            return [
                GradientCase(name, [.varied([m, n], values), .integers([1])], note: "the last axis"),
                GradientCase(
                    name, ["keepdims": 0], [.varied([m, n, 2], values), .integers([0])], note: "the first axis"),
                GradientCase(name, ["axes": [0, 2], "keepdims": 0], [.varied([2, m, 2], values)], version: 11),
                GradientCase(name, [.varied([m, n], values)], note: "all axes"),
            ]
        } + normalizing

    private static let normalizing: [GradientCase] =
        ["Softmax", "LogSoftmax"].flatMap { name in
            [
                GradientCase(name, [.varied([m, n])]),
                GradientCase(name, ["axis": 1], [.varied([2, m, n])], note: "an inner axis"),
                GradientCase(name, ["axis": 1], [.varied([2, m, n])], version: 11, note: "all axes from one on"),
            ]
        } + [
            GradientCase("Hardmax", [.varied([m, n])]),
            GradientCase("ArgMax", [.varied([m, n])]),
            GradientCase("ArgMin", [.varied([m, n])]),
            GradientCase("CumSum", [.varied([m, n]), .integers([0], shape: [])]),
            GradientCase("CumSum", ["exclusive": 1, "reverse": 1], [.varied([m, n]), .integers([1], shape: [])]),
            GradientCase("LpNormalization", [.varied([m, n])]),
            GradientCase("LpNormalization", ["p": 1, "axis": 0], [.varied([m, n])]),
            GradientCase("MeanVarianceNormalization", [.varied([2, 2, m, n])]),
        ]
}
