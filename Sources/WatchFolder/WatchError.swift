internal import Glibc

/// What went wrong with the folders, where, and what to do about it. The library knows no model and so not
/// ConverterKit's error; the daemon turns one into the other, field by field.
public struct WatchError: Error, Sendable, Hashable {
    /// What the daemon does about it.
    public enum Disposition: Sendable, Hashable {
        /// It passes by itself or when somebody repairs something: try again after a pause.
        case retryLater
        /// The files have gone or become others since they were seen: drop this set; the inbox tells of what there is
        /// now.
        case outdated
        /// The set-up is wrong; the same call fails again until it is changed.
        case configuration
    }

    /// Stable, dotted, kebab-case: `watch.watch-limit`, `watch.other-file-system`, …
    public var code: String
    public var disposition: Disposition
    public var message: String
    /// What the person can do, as one sentence.
    public var remedy: String
    public var path: BytePath?
    /// The system's error number, when a system call failed.
    public var number: Int32?

    public init(
        _ code: String, _ disposition: Disposition, _ message: String, remedy: String, path: BytePath? = nil,
        number: Int32? = nil
    ) {
        self.code = code
        self.disposition = disposition
        self.message = message
        self.remedy = remedy
        self.path = path
        self.number = number
    }

    /// The text of the system's error.
    public var cause: String? { number.map { unsafe String(cString: strerror($0)) } }
}

extension WatchError: CustomStringConvertible {
    public var description: String {
        var text = "\(message) [\(code)]"
        if let path { text += " (\(path))" }
        if let cause { text += ": \(cause)" }
        return text + "\n  remedy: \(remedy)"
    }
}

extension WatchError {
    /// The error of a failed system call on `path`; `doing` completes "cannot …".
    static func system(_ number: Int32, _ doing: String, _ path: BytePath) -> WatchError {
        let (code, disposition, remedy): (String, Disposition, String) =
            switch number {
            case ENOENT: ("watch.missing", .outdated, "Nothing, if it was moved or deleted; else put it back.")
            case EACCES, EPERM:
                (
                    "watch.permission-denied", .retryLater,
                    "Give the service's user the right to read the file and to write to its folder."
                )
            case ENOSPC, EDQUOT: ("watch.no-space", .retryLater, "Make room on the disk or raise the quota.")
            case EROFS: ("watch.read-only", .retryLater, "Mount the file system for writing.")
            case EXDEV:
                (
                    "watch.other-file-system", .configuration,
                    "Keep all folders of the root on one file system, or allow claiming by copy in the settings."
                )
            case EEXIST: ("watch.exists", .configuration, "Remove or rename what is there.")
            case ENOTDIR, ELOOP:
                ("watch.not-a-folder", .configuration, "Put a folder there; links are not followed.")
            case EMFILE, ENFILE:
                ("watch.too-many-open-files", .retryLater, "Raise LimitNOFILE of the service, or fs.file-max.")
            default: ("watch.input-output", .retryLater, "Check the disk and the system's log.")
            }
        return WatchError(code, disposition, "cannot \(doing)", remedy: remedy, path: path, number: number)
    }
}
