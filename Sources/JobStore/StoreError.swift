internal import GRDB

/// What went wrong in the store, and what to do about it.
///
/// The store knows nothing of models, so this is not the error of the conversion; it has the same parts, and `kind` has
/// the same exit statuses (those of sysexits.h).
public struct StoreError: Error, Sendable, Hashable {
    /// What the program does about an error.
    public enum Kind: Int32, Sendable, Hashable, CaseIterable {
        /// The job that was asked for is not there.
        case missing = 66
        case `internal` = 70
        case cannotCreate = 73
        case inputOutput = 74
        /// Goes away by itself: the disk was full, another process was writing. Nothing was changed; try again.
        case temporary = 75
        case configuration = 78

        public var exitStatus: Int32 { rawValue }
    }

    /// A stable, dotted, kebab-case identifier such as `store.disk-full`.
    public var code: String
    public var kind: Kind
    public var message: String
    /// What the person can do, as one sentence.
    public var remedy: String
    /// The file that the error is about.
    public var file: String?
    public var cause: String?

    public init(
        _ code: String, _ kind: Kind, _ message: String, remedy: String, file: String? = nil, cause: String? = nil
    ) {
        self.code = code
        self.kind = kind
        self.message = message
        self.remedy = remedy
        self.file = file
        self.cause = cause
    }

    /// Whether the same call may succeed later without anybody's doing anything to the database.
    public var isTemporary: Bool { kind == .temporary }
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        var text = "\(message) [\(code)]"
        if let file { text += " (file \(file))" }
        if let cause { text += ": \(cause)" }
        return text + "\n  remedy: \(remedy)"
    }
}

extension StoreError {
    /// Every code that this module throws.
    public static let codes = [
        "store.locked", "store.newer-schema", "store.older-schema", "store.foreign-database", "store.missing",
        "store.corrupt", "store.disk-full", "store.busy", "store.read-only", "store.cannot-open", "store.io",
        "store.internal", "store.no-such-job", "store.wrong-state",
    ]

    /// The store's error for one of the database's.
    static func translating(_ error: any Error, file: String) -> StoreError {
        if let error = error as? StoreError { return error }
        guard let error = error as? DatabaseError else {
            return StoreError(
                "store.internal", .internal, "the job store failed", remedy: "Report this as a bug.", file: file,
                cause: "\(error)")
        }
        let cause = "\(error.extendedResultCode.rawValue) \(error.message ?? "")"
        switch error.resultCode {
        case .SQLITE_FULL:
            return diskFull(file, cause)
        case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE:
            // The index of the write-ahead log could not be lengthened, which is a full disk in all but name.
            return diskFull(file, cause)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return StoreError(
                "store.busy", .temporary, "another process keeps the job store busy",
                remedy: "Wait a moment and try again.", file: file, cause: cause)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return StoreError(
                "store.corrupt", .inputOutput, "the job store is damaged",
                remedy: "Restart the daemon: it moves the damaged file aside and begins a new one.", file: file,
                cause: cause)
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            return StoreError(
                "store.read-only", .cannotCreate, "the job store cannot be written",
                remedy: "Give the user of this process write permission on the file and its folder.", file: file,
                cause: cause)
        case .SQLITE_CANTOPEN:
            return StoreError(
                "store.cannot-open", .cannotCreate, "the job store cannot be opened",
                remedy: "Check that its folder exists and that this process may write there.", file: file,
                cause: cause)
        case .SQLITE_IOERR:
            return StoreError(
                "store.io", .inputOutput, "the job store's disk failed",
                remedy: "Check the disk's health and the kernel's log.", file: file, cause: cause)
        default:
            return StoreError(
                "store.internal", .internal, "the job store failed", remedy: "Report this as a bug.", file: file,
                cause: cause)
        }
    }

    private static func diskFull(_ file: String, _ cause: String) -> StoreError {
        StoreError(
            "store.disk-full", .temporary, "there is no room for the job store",
            remedy: "Free some space on its disk; nothing was lost, and the work goes on when there is room.",
            file: file, cause: cause)
    }

    static func noSuchJob(_ id: JobID) -> StoreError {
        StoreError(
            "store.no-such-job", .missing, "there is no job \(id)",
            remedy: "See `rene jobs list` for the jobs there are.")
    }

    static func wrongState(_ id: JobID, _ state: JobState, _ wish: String) -> StoreError {
        StoreError(
            "store.wrong-state", .internal, "job \(id) is \(state.rawValue) and cannot \(wish)",
            remedy: "See `rene jobs show \(id)` for what happened to it.")
    }
}
