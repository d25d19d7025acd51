public import Conversion

/// A zoo to convert.
public struct BatchOptions: Sendable {
    public var source: String
    public var output: String
    public var conversion: ConversionSettings
    /// Threads of a worker, if the user says.
    public var threads: Int?
    /// Workers at a time; `nil` takes as many as cores and memory allow.
    public var jobs: Int?
    /// This run's share of the models.
    public var shard: Shard
    public var workerArguments: [String]

    public init(
        source: String, output: String, conversion: ConversionSettings, threads: Int? = nil, jobs: Int? = nil,
        shard: Shard = .all, workerArguments: [String] = []
    ) {
        self.source = source
        self.output = output
        self.conversion = conversion
        self.threads = threads
        self.jobs = jobs
        self.shard = shard
        self.workerArguments = workerArguments
    }
}

/// One of several shares of equal size, counted from 1.
public struct Shard: Sendable, Hashable {
    public let index: Int
    public let count: Int

    public static let all = Shard(index: 1, count: 1)

    private init(index: Int, count: Int) {
        self.index = index
        self.count = count
    }

    /// Reads `2/16`; `nil` if it is nothing of the kind.
    public init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let index = parts[0], let count = parts[1], count >= 1, index >= 1, index <= count
        else { return nil }
        self.init(index: index, count: count)
    }

    /// Every model is in one share; neighbours, which are often alike, are in different ones.
    func takes(_ position: Int) -> Bool { position % count == index - 1 }

    /// What names of files of this share have in them; empty when there is only one.
    var suffix: String { count == 1 ? "" : "-\(index)-of-\(count)" }
}

/// What became of one model.
public struct BatchEntry: Sendable, Hashable {
    public enum Status: String, Sendable, Hashable {
        case converted
        /// Nothing could be gained; the output is the source.
        case unchanged
        /// Done by an earlier run.
        case skipped
        case failed
    }

    /// Below the source folder.
    public var path: String
    public var status: Status
    public var report: ReportSummary?
    public var seconds: Double?
    public var error: BatchError?
}

/// Why a model failed.
public struct BatchError: Sendable, Hashable {
    public var code: String
    public var message: String
    public var remedy: String
}
