internal import Glibc

/// The file `claim` in a job's folder, written before the first file is moved: from it an interrupted claim is undone.
/// Text, one item a line, paths in `BytePath.record` form:
///
///     rene-claim 1
///     folder PATH
///     member ROLE moved|copied DEVICE INODE SIZE SECONDS NANOSECONDS PATH      (once for each)
///     missing PATH                                                             (any number)
///     end
enum ClaimRecord {
    static let name: BytePath = "claim"

    static func text(_ claim: Claim) -> String {
        var lines = ["rene-claim 1", "folder \(claim.folder.record)"]
        for member in claim.members {
            let status = member.status
            lines.append(
                "member \(member.role.rawValue) \(member.isCopy ? "copied" : "moved") \(status.device) \(status.inode) "
                    + "\(status.size) \(status.modified.seconds) \(status.modified.nanoseconds) \(member.path.record)")
        }
        lines += claim.missing.map { "missing \($0.record)" }
        return (lines + ["end", ""]).joined(separator: "\n")
    }

    /// Nil when the text is not a whole record.
    static func claim(_ text: String, job: String) -> Claim? {
        let lines = text.split(separator: "\n")
        guard lines.first == "rene-claim 1", lines.last == "end" else { return nil }
        var claim = Claim(job: job, folder: "", members: [])
        for line in lines.dropFirst().dropLast() {
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            switch (fields[0], fields.count) {
            case ("folder", 2):
                guard let path = BytePath(record: fields[1]), path.isEmpty || path.isPlainRelative else { return nil }
                claim.folder = path
            case ("missing", 2):
                guard let path = BytePath(record: fields[1]) else { return nil }
                claim.missing.append(path)
            case ("member", 9):
                guard let member = member(fields) else { return nil }
                claim.members.append(member)
            default: return nil
            }
        }
        return claim
    }

    private static func member(_ fields: [Substring]) -> Claim.Member? {
        guard let role = ModelSet.Role(rawValue: String(fields[1])), ["moved", "copied"].contains(fields[2]),
            let device = UInt64(fields[3]), let inode = UInt64(fields[4]), let size = Int(fields[5]),
            let seconds = Int(fields[6]), let nanoseconds = Int(fields[7]), let path = BytePath(record: fields[8]),
            path.isPlainRelative
        else { return nil }
        let modified = FileStatus.Time(seconds: seconds, nanoseconds: nanoseconds)
        let status = FileStatus(device: device, inode: inode, size: size, modified: modified, changed: modified)
        return Claim.Member(path: path, role: role, status: status, isCopy: fields[2] == "copied")
    }
}

/// Small files written whole: under a temporary name, synchronized, renamed.
enum SmallFile {
    static func write(_ bytes: [UInt8], _ name: BytePath, in folder: OpenFolder, mode: mode_t) throws(WatchError) {
        let path = folder.path.appending(name)
        let temporary = name.temporaryName
        try folder.remove(temporary)
        let descriptor = unsafe openat(
            folder.descriptor, temporary.cString, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .system(errno, "make the file", path) }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let rest = bytes.count - done
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), rest)
            }
            if count >= 0 {
                done += count
            } else if errno != EINTR {
                throw .system(errno, "write", path)
            }
        }
        guard fsync(descriptor) == 0 else { throw .system(errno, "synchronize", path) }
        guard unsafe renameat(folder.descriptor, temporary.cString, folder.descriptor, name.cString) == 0 else {
            throw .system(errno, "write", path)
        }
        try folder.synchronize()
    }

    /// The bytes of a regular file of at most `limit` bytes; nil when there is none.
    static func read(_ name: BytePath, in folder: OpenFolder, limit: Int) throws(WatchError) -> [UInt8]? {
        guard folder.status(name) != nil else { return nil }
        let descriptor = try FileTransfer.openFile(name, in: folder)
        defer { close(descriptor) }
        guard let size = FileStatus.of(descriptor: descriptor)?.size, size <= limit else { return [] }
        var bytes = [UInt8](repeating: 0, count: size)
        let count = unsafe pread(descriptor, &bytes, size, 0)
        guard count >= 0 else { throw .system(errno, "read", folder.path.appending(name)) }
        return Array(bytes.prefix(count))
    }
}
