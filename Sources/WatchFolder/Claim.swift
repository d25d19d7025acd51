/// A set that a job owns: its files lie in `.work/JOB/source`, out of reach of whoever put them into the inbox.
public struct Claim: Sendable, Hashable {
    public struct Member: Sendable, Hashable {
        /// Relative to `source`, as it was relative to the model's folder in the inbox.
        public var path: BytePath
        public var role: ModelSet.Role
        /// As it was in the inbox.
        public var status: FileStatus
        /// Whether the inbox keeps the original, for other models.
        public var isCopy: Bool

        public init(path: BytePath, role: ModelSet.Role, status: FileStatus, isCopy: Bool = false) {
            self.path = path
            self.role = role
            self.status = status
            self.isCopy = isCopy
        }
    }

    /// The job's name, that of its folder in `.work`.
    public var job: String
    /// The folder of the model relative to the inbox; mirrored in outbox, done and failed.
    public var folder: BytePath
    /// Companions first, the model last.
    public var members: [Member]
    /// Files that the model names and that were not there, relative to the inbox.
    public var missing: [BytePath]

    public init(job: String, folder: BytePath, members: [Member], missing: [BytePath] = []) {
        self.job = job
        self.folder = folder
        self.members = members
        self.missing = missing
    }

    /// The model's file name.
    public var model: BytePath { members.last { $0.role == .model }?.path ?? "" }

    /// The job's own folder, absolute; private to the user of the service.
    public func workFolder(in layout: WatchLayout) -> BytePath { layout.work.appending(BytePath(job)) }

    /// The folder that the claimed files lie in, absolute.
    public func source(in layout: WatchLayout) -> BytePath { workFolder(in: layout).appending("source") }

    /// The claimed model, absolute.
    public func modelPath(in layout: WatchLayout) -> BytePath { source(in: layout).appending(model) }

    /// Where the model was in the inbox, absolute.
    public func originalPath(in layout: WatchLayout) -> BytePath {
        layout.inbox.appending(folder).appending(model)
    }
}
