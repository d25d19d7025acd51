/// What one worker has to do: the content of `job.json`. `Settings` is whatever the conversion needs to know; the
/// supervision never looks at it.
public struct WorkerJob<Settings: Codable & Sendable>: Codable, Sendable {
    /// Version of this file's layout; a worker refuses another.
    public static var currentFormat: Int { 1 }

    public var format: Int
    /// The claimed model.
    public var source: String
    /// The folder to write to, inside the job's own folder.
    public var output: String
    public var settings: Settings
    public var limits: WorkerLimits
    /// Process id of the daemon: a worker whose parent is another has been orphaned before it could ask to be told.
    /// `nil` when a person runs the worker.
    public var supervisor: Int32?

    public init(
        source: String, output: String, settings: Settings, limits: WorkerLimits, supervisor: Int32? = nil
    ) {
        format = Self.currentFormat
        self.source = source
        self.output = output
        self.settings = settings
        self.limits = limits
        self.supervisor = supervisor
    }
}
