/// When a file counts as whole.
public struct StabilityPolicy: Sendable, Hashable {
    /// Size, times and inode unchanged, and no event, for this long.
    public var delay: Duration
    /// An empty file waits this long to be filled before it counts as meant to be empty.
    public var emptyGrace: Duration
    /// A file that a program keeps open for writing without changing it is taken all the same after this long.
    public var heldLimit: Duration
    /// First and longest pause between attempts on a file that cannot be read; each pause is twice the one before. A
    /// change of its permissions is seen at once.
    public var firstRetry: Duration
    public var longestRetry: Duration

    public init(
        delay: Duration = .seconds(5), emptyGrace: Duration = .seconds(60), heldLimit: Duration = .seconds(600),
        firstRetry: Duration = .seconds(5), longestRetry: Duration = .seconds(300)
    ) {
        self.delay = delay
        self.emptyGrace = emptyGrace
        self.heldLimit = heldLimit
        self.firstRetry = firstRetry
        self.longestRetry = longestRetry
    }

    /// Between looks at a file that has to be looked at again: never without a pause.
    var recheck: Duration { max(delay, .milliseconds(100)) }

    /// The pause after the `count`-th refusal, from 1.
    func retry(after count: Int) -> Duration {
        min(longestRetry, max(firstRetry, .milliseconds(100)) * (1 << min(max(count, 1) - 1, 20)))
    }
}
