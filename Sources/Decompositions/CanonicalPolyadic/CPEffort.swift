/// How much work goes into a CP model of one rank.
public struct CPEffort: Sendable {
    /// Most sweeps of the final run.
    public var sweeps: Int
    /// Relative decrease of the squared error below which a run ends; a negative one runs all sweeps.
    public var tolerance: Double
    /// Sweeps by which the starts are compared.
    public var trialSweeps: Int
    /// Random starts besides the one from singular vectors, where there is no smaller model to start from.
    public var randomStarts: Int
    /// Whether a model of a smaller rank, fitted first, is one of the starts. It makes errors fall with rank.
    public var startsFromSmallerRank: Bool

    public init(
        sweeps: Int = 40, tolerance: Double = 2e-4, trialSweeps: Int = 6, randomStarts: Int = 2,
        startsFromSmallerRank: Bool = true
    ) {
        self.sweeps = sweeps
        self.tolerance = tolerance
        self.trialSweeps = trialSweeps
        self.randomStarts = randomStarts
        self.startsFromSmallerRank = startsFromSmallerRank
    }
}
