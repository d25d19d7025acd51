/// The number of a job: never given twice, even after the job was purged.
public struct JobID: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    public var number: Int64

    public init(_ number: Int64) { self.number = number }

    public static func < (left: JobID, right: JobID) -> Bool { left.number < right.number }

    public init(from decoder: any Decoder) throws { number = try decoder.singleValueContainer().decode(Int64.self) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }

    public var description: String { String(number) }
}

/// Where a job is on its way.
public enum JobState: String, Sendable, Hashable, CaseIterable, Codable {
    /// May be claimed.
    case queued
    /// A worker has it.
    case running
    /// The result is verified and on its way to its final name.
    case publishing
    case done
    case failed
    /// May be claimed from `Job.retryAt` on.
    case waiting
    case cancelled

    /// Whether nothing more happens to it by itself.
    public var isFinal: Bool { self == .done || self == .failed || self == .cancelled }
}

/// One model to convert, and what became of it.
public struct Job: Sendable, Hashable, Identifiable {
    public var id: JobID
    /// The model's path below `inbox`, which is also that of the result below `outbox`.
    public var path: JobPath
    /// Where the claimed files are now, relative to the root; `nil` while they are where they were found.
    public var location: JobPath?
    /// SHA-256 of the model with its data files, hexadecimal.
    public var sourceDigest: String
    /// Digest of the settings that the result depends on, hexadecimal.
    public var settingsDigest: String
    /// Higher ones are claimed first.
    public var priority: Int
    /// Bytes of memory that its worker is expected to need.
    public var estimatedMemory: Int?
    public var state: JobState
    /// When a waiting job may be claimed.
    public var retryAt: Timestamp?
    /// What the worker is doing, in the worker's words.
    public var stage: String?
    /// Share of the whole job that is done, 0…1.
    public var progress: Double
    /// Runs begun, this one among them. Counted before the run, so that a job that takes the machine down is counted.
    public var attempts: Int
    /// Times it was put off since it last got anywhere; the exponent of the back-off.
    public var deferrals: Int
    /// A running job that somebody wants to be stopped.
    public var cancellationRequested: Bool
    /// Converts again what was converted before, and replaces its result.
    public var isForced: Bool
    /// Whether the source was brought to its last place after the job ended.
    public var isSettled: Bool
    public var enqueued: Timestamp
    public var started: Timestamp?
    public var finished: Timestamp?
    public var updated: Timestamp
    public var failure: JobFailure?
    public var facts: ResultFacts?
    /// What is being or was published, in the order of publication.
    public var outputs: [OutputFile]
}

/// What `rene jobs --json` prints of a job.
extension Job: Encodable {
    enum CodingKeys: String, CodingKey {
        case id, path, location, priority, state, stage, progress, attempts, deferrals, enqueued, started, finished
        case updated, outputs
        case sourceDigest = "source_sha256"
        case settingsDigest = "settings_sha256"
        case estimatedMemory = "estimated_memory"
        case retryAt = "retry_at"
        case cancellationRequested = "cancellation_requested"
        case isForced = "forced"
        case isSettled = "settled"
        case failure = "error"
        case facts = "result"
    }
}

/// Why a job failed, was put off or was sent back.
public struct JobFailure: Sendable, Hashable, Codable {
    public var code: String
    public var message: String
    public var remedy: String
    /// The place in the input, in words.
    public var site: String?
    /// The exit status that goes with it.
    public var exitStatus: Int32?

    public init(code: String, message: String, remedy: String, site: String? = nil, exitStatus: Int32? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.site = site
        self.exitStatus = exitStatus
    }

    enum CodingKeys: String, CodingKey {
        case code, message, remedy, site
        case exitStatus = "exit_status"
    }
}

/// Size of a model before and after.
public struct ResultFacts: Sendable, Hashable, Codable {
    public var parametersBefore: Int
    public var parametersAfter: Int
    public var macsBefore: Int
    public var macsAfter: Int
    public var bytesBefore: Int
    public var bytesAfter: Int

    public init(
        parametersBefore: Int, parametersAfter: Int, macsBefore: Int, macsAfter: Int, bytesBefore: Int, bytesAfter: Int
    ) {
        self.parametersBefore = parametersBefore
        self.parametersAfter = parametersAfter
        self.macsBefore = macsBefore
        self.macsAfter = macsAfter
        self.bytesBefore = bytesBefore
        self.bytesAfter = bytesAfter
    }

    enum CodingKeys: String, CodingKey {
        case parametersBefore = "parameters_before"
        case parametersAfter = "parameters_after"
        case macsBefore = "macs_before"
        case macsAfter = "macs_after"
        case bytesBefore = "bytes_before"
        case bytesAfter = "bytes_after"
    }
}

/// A file of the result under its final name: what recovery compares after a crash in the middle of publishing.
public struct OutputFile: Sendable, Hashable, Encodable {
    /// Relative to the root.
    public var path: JobPath
    /// Hexadecimal.
    public var sha256: String
    public var bytes: Int

    public init(path: JobPath, sha256: String, bytes: Int) {
        self.path = path
        self.sha256 = sha256
        self.bytes = bytes
    }
}
