internal import Glibc

/// Takes sets out of the inbox and gives them back. Calls block on the disk: not for the cooperative pool.
///
/// Of several daemons on one root each set goes to one: the rename of its model succeeds once.
public struct Claimer: Sendable {
    public let layout: WatchLayout
    /// Whether files may be copied where a rename across file systems fails.
    public let allowsCopies: Bool

    public init(layout: WatchLayout, allowsCopies: Bool = false) {
        self.layout = layout
        self.allowsCopies = allowsCopies
    }

    /// Moves the set into `.work/JOB/source`, companions first, durably. `job` is a new name, a single path component.
    ///
    /// Throws with everything back in the inbox. `outdated`: the files are gone or have changed. `retryLater`: no room,
    /// no permission, a program writes to the file. In both cases `Inbox.retry` makes the inbox tell of what there is
    /// then.
    public func claim(_ set: ModelSet, job: String) throws(WatchError) -> Claim {
        let name = BytePath(job)
        guard name.isPlainRelative, name.components.count == 1 else {
            throw WatchError(
                "watch.unsafe-path", .configuration, "a job's name must be a file name",
                remedy: "Use letters and digits.",
                path: name)
        }
        let inbox = try OpenFolder(layout.inbox)
        let work = try OpenFolder(layout.work)
        let claim = try plan(set, job: job, inbox)
        if unsafe mkdirat(work.descriptor, name.cString, 0o700) != 0 {
            throw .system(errno, "make the job's folder", layout.work.appending(name))
        }
        do throws(WatchError) {
            try work.synchronize()
            let folder = try work.folder(name)
            let source = try folder.folder("source", making: 0o700)
            try SmallFile.write(Array(ClaimRecord.text(claim).utf8), ClaimRecord.name, in: folder, mode: 0o600)
            for member in claim.members {
                try take(member, of: claim, inbox, source, mayBeHeld: set.isHeldOpen)
            }
        } catch {
            try undo(claim)
            throw error
        }
        return claim
    }

    /// Looks at every member once more and decides which are copied; changes nothing.
    private func plan(_ set: ModelSet, job: String, _ inbox: OpenFolder) throws(WatchError) -> Claim {
        var claim = Claim(job: job, folder: set.folder, members: [], missing: set.missing)
        let depth = set.folder.components.count
        for member in set.members {
            let path = member.path.components.dropFirst(depth).reduce("" as BytePath) { $0.appending($1) }
            guard member.path.isWithin(set.folder), path.isPlainRelative else {
                throw WatchError(
                    "watch.unsafe-path", .configuration, "the file is not below its model's folder",
                    remedy: "Put it beside the model.", path: member.path)
            }
            let folder = try inbox.folder(member.path.parent)
            try check(folder, member.path.name, member.status)
            let others = member.sharedWith.contains { FileStatus.of(layout.inbox.appending($0)) != nil }
            claim.members.append(.init(path: path, role: member.role, status: member.status, isCopy: others))
        }
        return claim
    }

    private func take(
        _ member: Claim.Member, of claim: Claim, _ inbox: OpenFolder, _ source: OpenFolder, mayBeHeld: Bool
    ) throws(WatchError) {
        let from = try inbox.folder(claim.folder.appending(member.path.parent))
        let to = try source.folder(member.path.parent, making: 0o700)
        let name = member.path.name
        try check(from, name, member.status)
        if member.isCopy {
            try FileTransfer.copy(name, in: from, to: name, in: to)
            return
        }
        try FileTransfer.move(name, in: from, to: name, in: to, allowingCopies: allowsCopies)
        // Between the look and the move the name may have come to mean something else, or a program may have opened it.
        guard let status = to.status(name), status.kind == .file, status.size == member.status.size,
            status.modified == member.status.modified
        else { throw .changed(from.path.appending(name)) }
        guard !mayBeHeld else { return }
        let descriptor = try FileTransfer.openFile(name, in: to)
        defer { close(descriptor) }
        if FolderProbe.hasWriter(descriptor) {
            throw WatchError(
                "watch.still-open", .retryLater, "a program has the file open for writing",
                remedy: "Nothing: it is taken when that program has closed it.", path: from.path.appending(name))
        }
    }

    private func check(_ folder: OpenFolder, _ name: BytePath, _ expected: FileStatus) throws(WatchError) {
        guard let status = folder.status(name) else { throw .system(errno, "claim", folder.path.appending(name)) }
        guard status.kind == .file else { throw .notRegular(folder.path.appending(name)) }
        guard status.isSameContent(as: expected) else { throw .changed(folder.path.appending(name)) }
    }
}
