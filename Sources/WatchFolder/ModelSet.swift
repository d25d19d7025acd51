/// A model and the files that go with it, all of them whole: claimed together or not at all.
public struct ModelSet: Sendable, Hashable {
    public enum Role: String, Sendable, Hashable {
        /// The model itself.
        case model
        /// Weights outside the model.
        case data
        /// Settings or data for this model.
        case sidecar
    }

    public struct Member: Sendable, Hashable {
        /// Relative to the inbox.
        public var path: BytePath
        /// As it was when the set was found to be whole.
        public var status: FileStatus
        public var role: Role
        /// Other models of the inbox that name this file too. As long as one of them is there, a claim copies the file
        /// and leaves it to them.
        public var sharedWith: [BytePath]

        public init(path: BytePath, status: FileStatus, role: Role, sharedWith: [BytePath] = []) {
            self.path = path
            self.status = status
            self.role = role
            self.sharedWith = sharedWith
        }
    }

    public var model: Member
    public var companions: [Member]
    /// Files that the model names and that did not come within the grace time, relative to the inbox.
    public var missing: [BytePath]
    /// Whether some program still has the model open for writing, without having written for the time that is allowed.
    public var isHeldOpen: Bool

    public init(model: Member, companions: [Member] = [], missing: [BytePath] = [], isHeldOpen: Bool = false) {
        self.model = model
        self.companions = companions
        self.missing = missing
        self.isHeldOpen = isHeldOpen
    }

    /// The folder of the model, relative to the inbox; mirrored in outbox, done and failed.
    public var folder: BytePath { model.path.parent }

    /// Companions first: a model that is seen somewhere has all it needs beside it.
    public var members: [Member] { companions + [model] }

    /// Bytes of all members.
    public var size: Int { members.reduce(0) { $0 + $1.status.size } }
}
