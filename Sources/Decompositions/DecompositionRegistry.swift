/// Every decomposition there is, in the order in which reports list them. A new one is a file in `Chains` and a line
/// here.
public enum DecompositionRegistry {
    public static let all: [any Decomposition] = [
        SVD(),
        TT(),
        Tucker(),
        CP(),
        CP4(),
        SpatialSVD(),
    ]

    /// The decomposition with this id.
    public static func named(_ id: String) -> (any Decomposition)? { all.first { $0.id == id } }
}
