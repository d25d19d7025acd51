internal import GRDB

/// Jobs read from rows.
extension Job {
    /// A row of table `job`. Outputs are in a table of their own.
    init(row: Row, outputs: [OutputFile]) throws {
        let text: String = row["state"]
        guard let state = JobState(rawValue: text) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "state \(text) of a job")
        }
        self.init(
            id: JobID(row["id"]), path: Self.path(row, "path") ?? JobPath(bytes: []),
            location: Self.path(row, "location"), sourceDigest: row["source_sha256"],
            settingsDigest: row["settings_sha256"], priority: row["priority"],
            estimatedMemory: row["estimated_memory"], state: state, retryAt: Self.time(row, "retry_at"),
            stage: row["stage"], progress: row["progress"], attempts: row["attempts"], deferrals: row["deferrals"],
            cancellationRequested: row["cancellation_requested"], isForced: row["forced"], isSettled: row["settled"],
            enqueued: Timestamp(milliseconds: row["enqueued"]), started: Self.time(row, "started"),
            finished: Self.time(row, "finished"), updated: Timestamp(milliseconds: row["updated"]),
            failure: Self.failure(row), facts: Self.facts(row), outputs: outputs)
    }

    static func fetch(_ db: Database, _ id: JobID) throws -> Job {
        guard let job = try fetchAll(db, "WHERE id = ?", [id.number]).first else { throw StoreError.noSuchJob(id) }
        return job
    }

    /// Jobs by the rest of a SELECT: condition, order, limit.
    static func fetchAll(_ db: Database, _ rest: String, _ arguments: StatementArguments = []) throws -> [Job] {
        let rows = try Row.fetchAll(db, sql: "SELECT * FROM job \(rest)", arguments: arguments)
        return try rows.map { row in try Job(row: row, outputs: OutputFile.fetch(db, JobID(row["id"]))) }
    }

    static func path(_ row: Row, _ column: String) -> JobPath? {
        let bytes: DatabaseBytes? = row[column]
        return bytes.map { JobPath(bytes: $0.bytes) }
    }

    private static func time(_ row: Row, _ column: String) -> Timestamp? {
        let number: Int64? = row[column]
        return number.map { Timestamp(milliseconds: $0) }
    }

    private static func failure(_ row: Row) -> JobFailure? {
        guard let code: String = row["error_code"] else { return nil }
        return JobFailure(
            code: code, message: row["error_message"] ?? "", remedy: row["error_remedy"] ?? "", site: row["error_site"],
            exitStatus: (row["error_status"] as Int64?).flatMap { Int32(exactly: $0) })
    }

    private static func facts(_ row: Row) -> ResultFacts? {
        guard let parameters: Int = row["parameters_before"] else { return nil }
        return ResultFacts(
            parametersBefore: parameters, parametersAfter: row["parameters_after"] ?? 0,
            macsBefore: row["macs_before"] ?? 0, macsAfter: row["macs_after"] ?? 0,
            bytesBefore: row["bytes_before"] ?? 0, bytesAfter: row["bytes_after"] ?? 0)
    }
}

extension OutputFile {
    static func fetch(_ db: Database, _ id: JobID) throws -> [OutputFile] {
        try Row.fetchAll(
            db, sql: "SELECT path, sha256, bytes FROM output WHERE job = ? ORDER BY position", arguments: [id.number]
        ).map { row in
            OutputFile(path: Job.path(row, "path") ?? JobPath(bytes: []), sha256: row["sha256"], bytes: row["bytes"])
        }
    }

    static func replace(_ db: Database, _ id: JobID, with outputs: [OutputFile]) throws {
        try db.execute(sql: "DELETE FROM output WHERE job = ?", arguments: [id.number])
        for (position, output) in outputs.enumerated() {
            try db.execute(
                sql: "INSERT INTO output (job, position, path, sha256, bytes) VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    id.number, position, DatabaseBytes(output.path.bytes), output.sha256, output.bytes,
                ])
        }
    }
}
