/// What of a model may be factorized, and the extents to count with.
public struct MappingOptions: Sendable, Hashable {
    /// Patterns (`*` any run of characters, `?` any one) on node paths, node names and weight names. When there are any,
    /// only nodes that one of them matches are factorized, and those whatever the three rules below say.
    public var include: [String]
    /// Patterns of nodes that stay; stronger than `include`.
    public var exclude: [String]
    /// Keep the last linear layer before an output.
    public var keepsClassifier: Bool
    /// Keep convolutions with one input channel a group.
    public var keepsDepthwise: Bool
    /// Keep 1×1 convolutions beside a residual branch.
    public var keepsShortcuts: Bool
    /// Extents of graph inputs by name, for free axes; they count MACs and change nothing else.
    public var inputShapes: [String: [Int]]

    public init(
        include: [String] = [], exclude: [String] = [], keepsClassifier: Bool = true, keepsDepthwise: Bool = true,
        keepsShortcuts: Bool = true, inputShapes: [String: [Int]] = [:]
    ) {
        self.include = include
        self.exclude = exclude
        self.keepsClassifier = keepsClassifier
        self.keepsDepthwise = keepsDepthwise
        self.keepsShortcuts = keepsShortcuts
        self.inputShapes = inputShapes
    }
}
