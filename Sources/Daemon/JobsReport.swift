internal import Conversion
public import ConverterKit
internal import FoundationEssentials
internal import JobStore

/// What `rene jobs` does and prints, beside a running daemon or without one.
public struct JobsReport: Sendable {
    private let store: JobStore
    private let root: String
    private let json: Bool

    /// Opens the store of a watched folder.
    public init(root: String, json: Bool) throws(ConversionError) {
        self.root = root
        self.json = json
        do throws(StoreError) {
            store = try JobStore(path: root + "/state.sqlite", access: .visitor)
        } catch {
            throw ConversionError(error)
        }
    }

    /// Jobs, the newest first. Throws `usage.job-state` for a state that there is not.
    public func list(states: [String], limit: Int) throws(ConversionError) -> [UInt8] {
        var filter = JobFilter(limit: max(0, limit))
        for name in states {
            guard let state = JobState(rawValue: name) else {
                throw ConversionError(
                    "usage.job-state", .usage, "there is no state '\(name)'",
                    remedy: "Write one of \(JobState.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            filter.states.insert(state)
        }
        let jobs = try call { () throws(StoreError) in try store.list(filter) }
        if json { return try encode(jobs) }
        let rows = jobs.map { job in
            [
                "\(job.id)", job.state.rawValue, job.state == .running ? "\(Int(job.progress * 100)) %" : "",
                "\(job.attempts)", "\(job.enqueued)", "\(job.path)", job.failure?.code ?? "",
            ]
        }
        return Self.table([["id", "state", "", "runs", "queued", "model", "error"]] + rows)
    }

    /// One job with its history.
    public func show(_ number: Int64) throws(ConversionError) -> [UInt8] {
        let id = JobID(number)
        let job = try call { () throws(StoreError) in try store.show(id) }
        let events = try call { () throws(StoreError) in try store.history(of: id) }
        if json { return try encode(Shown(job: job, history: events)) }
        var rows = [
            ["job", "\(job.id)"], ["model", "\(job.path)"], ["state", job.state.rawValue],
            ["runs", "\(job.attempts)"], ["sha256", job.sourceDigest],
            ["source", job.location.map { "\($0)" } ?? "-"],
        ]
        if let stage = job.stage { rows.append(["stage", "\(stage) \(Int(job.progress * 100)) %"]) }
        if let failure = job.failure {
            rows += [["error", "\(failure.message) [\(failure.code)]"], ["remedy", failure.remedy]]
        }
        rows += job.outputs.map { ["output", "\($0.path)"] }
        rows += events.map { ["\($0.at)", $0.what + ($0.detail.map { ": \($0)" } ?? "")] }
        return Self.table(rows)
    }

    /// Queues a job again. `force`: also one that is done, whose result is then replaced by the new one. Throws
    /// `job.source-elsewhere` when its source is not in `done` as one file.
    public func retry(_ number: Int64, force: Bool) throws(ConversionError) -> [UInt8] {
        let id = JobID(number)
        let job = try call { () throws(StoreError) in try store.show(id) }
        if force, job.state == .done { try checkIsInDone(job) }
        try call { () throws(StoreError) in try store.retry(id, force: force) }
        return try answer(id, "queued")
    }

    private func checkIsInDone(_ job: Job) throws(ConversionError) {
        let path = job.location.map { root + "/" + $0.description }
        if let path, let digest = try? SHA256.digest(ofFile: path), digest == job.sourceDigest { return }
        throw ConversionError(
            "job.source-elsewhere", .missingInput, "the source of job \(job.id) is not in done as one file",
            remedy: "Remove its result from the outbox and put the model into the inbox again.",
            site: .init(file: path))
    }

    /// Cancels a job.
    public func cancel(_ number: Int64) throws(ConversionError) -> [UInt8] {
        let id = JobID(number)
        let outcome = try call { () throws(StoreError) in try store.cancel(id) }
        return try answer(id, outcome == .cancelled ? "cancelled" : "cancellation requested")
    }

    private struct Shown: Encodable {
        var job: Job
        var history: [JobEvent]
    }

    private struct Answer: Encodable {
        var id: JobID
        var outcome: String
    }

    private func answer(_ id: JobID, _ outcome: String) throws(ConversionError) -> [UInt8] {
        json ? try encode(Answer(id: id, outcome: outcome)) : Array("job \(id): \(outcome)\n".utf8)
    }

    private func call<Result>(_ body: () throws(StoreError) -> Result) throws(ConversionError) -> Result {
        do throws(StoreError) { return try body() } catch { throw ConversionError(error) }
    }

    private func encode(_ value: some Encodable) throws(ConversionError) -> [UInt8] { try JSONText.encode(value) }

    /// Columns under each other.
    private static func table(_ rows: [[String]]) -> [UInt8] {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
        let lines = rows.map { row in
            let line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
                .joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
        }
        return Array(lines.joined().utf8)
    }
}
