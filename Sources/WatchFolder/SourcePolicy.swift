/// What becomes of a source whose result is durable.
public enum SourcePolicy: String, Sendable, Hashable, CaseIterable {
    /// Kept, in `done/`.
    case done
    case delete
    /// Put back into the inbox and not taken again until it changes.
    case leave
}
