@testable import Execution

enum IdentityCases {
    private static let (m, n) = (GradientCase.m, GradientCase.n)

    static let all = [
        GradientCase("Identity", [.varied([m, n])]),
        GradientCase("Identity", [.varied([])], note: "a scalar"),
        GradientCase("Dropout", [.varied([m, n])], version: 13),
        GradientCase("Dropout", ["ratio": Float(0.4)], [.varied([m, n])], version: 7),
        GradientCase("Dropout", [.varied([m, n])], outputs: 2, version: 13, note: "with its mask"),
    ]
}
