@testable import Execution

/// Operators of the program's own that training uses.
enum TrainingCases {
    private static let (m, n) = (GradientCase.m, GradientCase.n)
    private static let channels: [GradientCase.Input?] = [
        .varied([4, n, m, 2]), .varied([n], .uniform(0.5...1.5)), .varied([n]),
    ]

    static let all = [
        GradientCase("BatchTraining", domain: "rene", channels),
        GradientCase("BatchTraining", domain: "rene", ["epsilon": Float(0.1)], channels + [.varied([4, n, m, 2])]),
        GradientCase(
            "BatchTraining", domain: "rene", ["lo": Float(-20), "hi": Float(20)], channels, note: "within its limits"),
    ]
}
