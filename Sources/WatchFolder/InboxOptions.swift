/// All the settings of an inbox.
public struct InboxOptions: Sendable, Hashable {
    public var filter: NameFilter
    public var companions: CompanionRules
    public var stability: StabilityPolicy
    public var sets: SetPolicy
    public var watch: WatchOptions

    /// `filter` says which names are models; everything else has a default.
    public init(
        filter: NameFilter, companions: CompanionRules = .init(), stability: StabilityPolicy = .init(),
        sets: SetPolicy = .init(), watch: WatchOptions = .init()
    ) {
        self.filter = filter
        self.companions = companions
        self.stability = stability
        self.sets = sets
        self.watch = watch
    }
}
