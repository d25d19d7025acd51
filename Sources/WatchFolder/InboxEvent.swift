/// What the inbox tells its owner.
public enum InboxEvent: Sendable, Hashable {
    /// Why a file in the inbox is left where it is.
    public enum Reason: Sendable, Hashable {
        /// It has a model's name and is not a regular file.
        case notRegular(FileStatus.Kind)
        /// It cannot be read now (the system's error number); it is tried again by itself.
        case unreadable(Int32)
        /// It belongs to no model.
        case noModel
    }

    /// A set is whole. It is told of once; again only after it has changed, or after `Inbox.retry`.
    case ready(ModelSet)
    /// Told once for a file, until it changes.
    case ignored(BytePath, Reason)
    /// How the inbox is watched has changed.
    case state(WatchState)
    /// Something went wrong without stopping the watch.
    case problem(WatchError)
    /// A scan is complete and nothing waits for anything any more: what there was has been told.
    case idle
}
