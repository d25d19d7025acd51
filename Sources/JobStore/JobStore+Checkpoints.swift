internal import GRDB

extension JobStore {
    /// Keeps a stage's result; replaces the stage's former one.
    public func save(_ checkpoint: Checkpoint, of id: JobID) throws(StoreError) {
        let now = clock()
        try write { db in
            _ = try Job.fetch(db, id)
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO checkpoint (job, stage, format, path, contents, created)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    id.number, checkpoint.stage, checkpoint.format, checkpoint.path.map { DatabaseBytes($0.bytes) },
                    checkpoint.contents.map { DatabaseBytes($0) }, now.milliseconds,
                ])
        }
    }

    /// What is kept of a job's stages, in the order in which it was saved.
    public func checkpoints(of id: JobID) throws(StoreError) -> [Checkpoint] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT stage, format, path, contents FROM checkpoint WHERE job = ? ORDER BY rowid",
                arguments: [id.number]
            ).map { row in
                let contents: DatabaseBytes? = row["contents"]
                return Checkpoint(
                    stage: row["stage"], format: row["format"], path: Job.path(row, "path"), contents: contents?.bytes)
            }
        }
    }

    /// Drops a job's checkpoints: their files are gone, or a later run must not use them.
    public func removeCheckpoints(of id: JobID) throws(StoreError) {
        try write { db in
            try db.execute(sql: "DELETE FROM checkpoint WHERE job = ?", arguments: [id.number])
        }
    }
}
