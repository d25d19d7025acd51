/// One thing that happened to a job.
public struct JobEvent: Sendable, Hashable, Encodable {
    public var at: Timestamp
    /// `enqueued`, `started`, `publishing`, `done`, `failed`, `waiting`, `requeued`, `retried`, `cancelled`,
    /// `cancellation-requested` or `settled`.
    public var what: String
    public var detail: String?
}

/// A stage's result that a later run of the same job may take over.
public struct Checkpoint: Sendable, Hashable {
    public var stage: String
    /// Of the contents. A run that knows only another format begins the stage again.
    public var format: Int
    /// A file in the job's work folder.
    public var path: JobPath?
    /// Small contents kept in the database itself.
    public var contents: [UInt8]?

    public init(stage: String, format: Int, path: JobPath? = nil, contents: [UInt8]? = nil) {
        self.stage = stage
        self.format = format
        self.path = path
        self.contents = contents
    }
}
