internal import GRDB

/// The tables and the way to them from each earlier version.
///
/// A migration that was released is never changed; a new version appends one.
enum Schema {
    /// `rene` in ASCII, kept in the file's header: tells our database from another program's.
    static let applicationID: Int32 = 0x7265_6e65

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 jobs") { db in
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: jobs)
        }
        migrator.registerMigration("2 forced") { db in
            try db.execute(sql: "ALTER TABLE job ADD COLUMN forced INTEGER NOT NULL DEFAULT 0")
        }
        return migrator
    }

    private static let jobs = """
        CREATE TABLE job (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            path BLOB NOT NULL,
            location BLOB,
            source_sha256 TEXT NOT NULL,
            settings_sha256 TEXT NOT NULL,
            priority INTEGER NOT NULL,
            estimated_memory INTEGER,
            state TEXT NOT NULL CHECK (state IN
                ('queued', 'running', 'publishing', 'done', 'failed', 'waiting', 'cancelled')),
            retry_at INTEGER CHECK ((state = 'waiting') = (retry_at IS NOT NULL)),
            stage TEXT,
            progress REAL NOT NULL DEFAULT 0,
            attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
            deferrals INTEGER NOT NULL DEFAULT 0,
            cancellation_requested INTEGER NOT NULL DEFAULT 0,
            settled INTEGER NOT NULL DEFAULT 0,
            enqueued INTEGER NOT NULL,
            started INTEGER,
            finished INTEGER,
            updated INTEGER NOT NULL,
            error_code TEXT,
            error_message TEXT,
            error_remedy TEXT,
            error_site TEXT,
            error_status INTEGER,
            parameters_before INTEGER,
            parameters_after INTEGER,
            macs_before INTEGER,
            macs_after INTEGER,
            bytes_before INTEGER,
            bytes_after INTEGER,
            CHECK ((finished IS NOT NULL) = (state IN ('done', 'failed', 'cancelled')))
        ) STRICT;
        CREATE INDEX job_by_turn ON job (state, priority DESC, id);
        CREATE INDEX job_by_content ON job (source_sha256, settings_sha256);
        CREATE TABLE output (
            job INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            path BLOB NOT NULL,
            sha256 TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            PRIMARY KEY (job, position)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE checkpoint (
            job INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
            stage TEXT NOT NULL,
            format INTEGER NOT NULL,
            path BLOB,
            contents BLOB,
            created INTEGER NOT NULL,
            PRIMARY KEY (job, stage)
        ) STRICT;
        CREATE TABLE event (
            id INTEGER PRIMARY KEY,
            job INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
            at INTEGER NOT NULL,
            what TEXT NOT NULL,
            detail TEXT
        ) STRICT;
        CREATE INDEX event_by_job ON event (job, id);
        """
}
