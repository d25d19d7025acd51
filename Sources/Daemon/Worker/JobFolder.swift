public import ConverterKit
internal import FoundationEssentials

/// The private folder of one job, `.work/JOB`, and the files that daemon and worker exchange in it.
public struct JobFolder: Sendable, Hashable {
    public let path: String

    public init(path: String) { self.path = path }

    public var jobFile: String { path + "/job.json" }
    public var errorFile: String { path + "/error.json" }
    public var resultFile: String { path + "/result.json" }
    /// What the worker prints.
    public var logFile: String { path + "/log.txt" }
    /// Where the worker leaves its files.
    public var output: String { path + "/out" }

    /// Largest `error.json` and `result.json` that are read, in bytes.
    static let limit = 1 << 20

    /// Writes `job.json`. Throws `work.no-space` or `work.cannot-write`.
    public func write<Settings>(_ job: WorkerJob<Settings>) throws(ConversionError) {
        try SmallFile.replace(jobFile, with: try JSONText.encode(job))
    }

    /// The error that the worker left, if it left a valid one.
    public var failure: ConversionError? {
        SmallFile.read(errorFile, limit: Self.limit).flatMap { JSONText.decode(WorkerFailure.self, from: $0)?.error }
    }

    /// The result that the worker left, if it left a valid one.
    public func result<Result: Decodable>(as type: Result.Type) -> Result? {
        SmallFile.read(resultFile, limit: Self.limit).flatMap { JSONText.decode(type, from: $0) }
    }

    var hasResult: Bool { SmallFile.read(resultFile, limit: Self.limit)?.isEmpty == false }
}

/// JSON with sorted keys, so that the same content gives the same bytes.
enum JSONText {
    static func encode(_ value: some Encodable) throws(ConversionError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(value)) + [UInt8(ascii: "\n")]
        } catch {
            throw ConversionError(
                "worker.cannot-encode", .internal, "a value cannot be written as JSON",
                remedy: "Report this with the model.", cause: "\(error)")
        }
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) -> Value? {
        try? JSONDecoder().decode(type, from: Data(bytes))
    }
}
