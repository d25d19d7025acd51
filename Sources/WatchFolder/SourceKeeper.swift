/// What happens to claimed files after their job. Calls block on the disk; each may be repeated after an interruption
/// and goes on where it was. None removes the job's folder: that is `Claimer.discard`, after the outcome is recorded.
///
/// `stamp` goes into names that are taken; of a job it should be the same in each attempt, `20261123T222449Z` for
/// instance.
public struct SourceKeeper: Sendable {
    let claimer: Claimer
    var layout: WatchLayout { claimer.layout }

    public init(_ claimer: Claimer) { self.claimer = claimer }

    /// Moves the source to `done/`, into the sub-folder that it came from. A file whose name is taken there gets the
    /// stamp before its extension; a model with companions keeps its names, since it refers to them, in a folder
    /// `NAME.STAMP.onnx/` of its own. Companions that are there already, byte for byte, are not kept twice. Returns the
    /// absolute paths of what was moved.
    @discardableResult
    public func moveToDone(_ claim: Claim, stamp: String) throws(WatchError) -> [BytePath] {
        let members = try present(claim)
        guard !members.isEmpty else { return [] }
        let done = try OpenFolder(layout.done)
        let folder = try done.folder(claim.folder, making: 0o777)
        if claim.members.count == 1 {
            return [
                try move(members[0].0, members[0].1, to: folder, trying: members[0].0.path.name.alternatives(stamp))
            ]
        }
        let target = try freeFolder(for: members, of: claim, folder, stamp)
        var result: [BytePath] = []
        for (member, from) in members {
            let to = try target.folder(member.path.parent, making: 0o777)
            if member.role != .model, try isKept(member, from, to) {
                try from.remove(member.path.name)
            } else {
                result.append(try move(member, from, to: to, trying: [member.path.name]))
            }
        }
        return result
    }

    /// Deletes the source.
    public func delete(_ claim: Claim) throws(WatchError) {
        for (member, from) in try present(claim) {
            try from.remove(member.path.name)
            try from.synchronize()
        }
    }

    /// Puts the source back into the inbox, which is told first to leave it alone. Removes the job's folder. Returns
    /// the paths relative to the inbox.
    @discardableResult
    public func leave(_ claim: Claim, in inbox: Inbox) throws(WatchError) -> [BytePath] {
        inbox.leave(
            claim.members.map { .init(path: claim.folder.appending($0.path), status: $0.status, role: $0.role) })
        return try claimer.undo(claim)
    }

    /// The members that are still in the job's folder, each with the folder it lies in.
    func present(_ claim: Claim) throws(WatchError) -> [(Claim.Member, OpenFolder)] {
        guard let source = try claimer.openSource(of: claim.job, try OpenFolder(layout.work)) else { return [] }
        var result: [(Claim.Member, OpenFolder)] = []
        for member in claim.members {
            if let from = try claimer.openParent(of: member.path, in: source), from.status(member.path.name) != nil {
                result.append((member, from))
            }
        }
        return result
    }

    /// Moves one file to the first name that is free.
    func move(
        _ member: Claim.Member, _ from: OpenFolder, to folder: OpenFolder, trying names: some Sequence<BytePath>
    ) throws(WatchError) -> BytePath {
        var refusal: WatchError?
        for name in names {
            do {
                try FileTransfer.move(
                    member.path.name, in: from, to: name, in: folder, allowingCopies: claimer.allowsCopies)
                return folder.path.appending(name)
            } catch {
                guard error.code == "watch.exists" else { throw error }
                refusal = error
            }
        }
        throw refusal ?? .changed(from.path.appending(member.path.name))
    }

    /// The folder itself if all names are free in it, else a stamped one inside it.
    private func freeFolder(
        for members: [(Claim.Member, OpenFolder)], of claim: Claim, _ folder: OpenFolder, _ stamp: String
    ) throws(WatchError) -> OpenFolder {
        var isFree = true
        for (member, from) in members {
            guard let parent = try claimer.openParent(of: member.path, in: folder),
                parent.status(member.path.name) != nil
            else { continue }
            if member.role == .model { isFree = false } else if try !isKept(member, from, parent) { isFree = false }
        }
        return isFree ? folder : try folder.folder(claim.model.stamped(stamp), making: 0o777)
    }

    /// Whether `folder` holds the same file already.
    private func isKept(_ member: Claim.Member, _ from: OpenFolder, _ folder: OpenFolder) throws(WatchError) -> Bool {
        let name = member.path.name
        guard let there = folder.status(name), there.kind == .file, there.size == from.status(name)?.size else {
            return false
        }
        return try FileTransfer.areIdentical(name, in: from, name, in: folder)
    }
}
