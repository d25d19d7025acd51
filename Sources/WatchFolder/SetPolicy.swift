/// When a model and its companions count as complete.
public struct SetPolicy: Sendable, Hashable {
    /// How long a whole model waits for files that it names and that are not there, counted from the last arrival of
    /// any of its files. After it the set is handed out with what is `missing`. Also how long it waits until the other
    /// models of its folder are known well enough to tell whether they share its weights.
    public var companionGrace: Duration
    /// How long a whole model waits for a sidecar (`NAME.rene.yaml`, `NAME.npz`) to appear at all. A sidecar that is
    /// there is always waited for until it is whole.
    public var sidecarGrace: Duration
    /// After how long a file that belongs to no model is reported, once.
    public var orphanGrace: Duration
    /// Questions about the files that models name that may be open at once.
    public var inspections: Int

    public init(
        companionGrace: Duration = .seconds(60), sidecarGrace: Duration = .zero, orphanGrace: Duration = .seconds(600),
        inspections: Int = 2
    ) {
        self.companionGrace = companionGrace
        self.sidecarGrace = sidecarGrace
        self.orphanGrace = orphanGrace
        self.inspections = inspections
    }
}
