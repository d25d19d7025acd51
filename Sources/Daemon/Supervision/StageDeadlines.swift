/// How long a worker may be at each stage, and at all. Time during which the machine sleeps does not count.
public struct StageDeadlines: Sendable, Hashable {
    /// By the stage's name.
    public var stages: [String: Duration]
    /// For stages that are not named, and for the time before the first.
    public var other: Duration
    public var job: Duration?

    public init(stages: [String: Duration] = [:], other: Duration, job: Duration? = nil) {
        self.stages = stages
        self.other = other
        self.job = job
    }

    public func limit(of stage: String) -> Duration { stages[stage] ?? other }

    /// Deadlines for a model of `bytes` with its data files.
    ///
    /// Stages that pass over the file once get two minutes and the time that a disk of 5 MB/s takes; those that compute
    /// get a base and a second for each 100 kB. Measured on two cores: whole conversions of 434 MB in 4 s and of 3 GB in
    /// 160 s, at least 19 MB/s; the rates here are 4 and 190 times slower.
    public static func standard(modelBytes bytes: Int, job: Duration? = nil) -> StageDeadlines {
        let passing = Duration.seconds(120) + .seconds(Double(bytes) / 5e6)
        let computing = Duration.seconds(1800) + .seconds(Double(bytes) / 1e5)
        let names = ["analysing", "searching", "factorizing", "fine-tuning", "verifying"]
        return StageDeadlines(
            stages: Dictionary(uniqueKeysWithValues: names.map { ($0, computing) }), other: passing, job: job)
    }
}
