internal import Glibc

extension Claimer {
    /// Puts the files of a claim back to where they were and removes the job's folder. Where a name has been taken
    /// meanwhile the file gets the job's name into its own (`x.JOB.onnx`). May be called again after an interruption.
    /// Returns the paths that the files have now, relative to the inbox.
    @discardableResult
    public func undo(_ claim: Claim) throws(WatchError) -> [BytePath] {
        let inbox = try OpenFolder(layout.inbox)
        let work = try OpenFolder(layout.work)
        var result: [BytePath] = []
        if let source = try openSource(of: claim.job, work) {
            for member in claim.members {
                guard let from = try openParent(of: member.path, in: source), from.status(member.path.name) != nil
                else {
                    continue
                }
                if let path = try putBack(member, of: claim, from, inbox) { result.append(path) }
            }
            let source = try OpenFolder(claim.source(in: layout))
            try checkHoldsNoFiles(source)
        }
        try discard(claim.job)
        return result
    }

    /// Removes the job's folder with all in it. Nothing there is fine.
    public func discard(_ job: String) throws(WatchError) {
        let work = try OpenFolder(layout.work)
        try work.remove(BytePath(job))
        try work.synchronize()
    }

    /// Names of the jobs that have a folder in `.work`, sorted.
    public func jobs() throws(WatchError) -> [String] {
        try OpenFolder(layout.work).entries().compactMap { name, _ in
            String(validating: name.bytes, as: UTF8.self)
        }.sorted()
    }

    /// The claim of a job as its folder records it; for a job that was interrupted before any file was moved: nil.
    /// After nil the folder holds no source and may be discarded. Throws `watch.claim-record` when it does hold files
    /// and the record is damaged.
    public func claim(of job: String) throws(WatchError) -> Claim? {
        let work = try OpenFolder(layout.work)
        guard work.status(BytePath(job)) != nil else { return nil }
        let folder = try work.folder(BytePath(job))
        let bytes = try SmallFile.read(ClaimRecord.name, in: folder, limit: 1 << 24) ?? []
        if let claim = ClaimRecord.claim(String(decoding: bytes, as: UTF8.self), job: job) { return claim }
        if let source = try openSource(of: job, work) { try checkHoldsNoFiles(source) }
        return nil
    }

    /// Whether all files of the claim are in its folder: false after an interruption in the middle of claiming.
    public func isComplete(_ claim: Claim) -> Bool {
        claim.members.allSatisfy { FileStatus.of(claim.source(in: layout).appending($0.path))?.kind == .file }
    }

    /// Removes from the inbox what a complete claim holds: after an interruption between the copy to another file system
    /// and the removal of the original. Files that are others than those that were claimed stay.
    public func removeOriginals(of claim: Claim) throws(WatchError) {
        guard let source = try openSource(of: claim.job, try OpenFolder(layout.work)) else { return }
        let inbox = try OpenFolder(layout.inbox)
        for member in claim.members where !member.isCopy {
            guard let from = try openParent(of: claim.folder.appending(member.path), in: inbox),
                let held = try openParent(of: member.path, in: source),
                from.status(member.path.name)?.isSameContent(as: member.status) == true,
                try FileTransfer.areIdentical(member.path.name, in: from, member.path.name, in: held)
            else { continue }
            try from.remove(member.path.name)
            try from.synchronize()
        }
    }

    /// The open folder `source` of a job, or nil.
    func openSource(of job: String, _ work: OpenFolder) throws(WatchError) -> OpenFolder? {
        guard work.status(BytePath(job)) != nil else { return nil }
        let folder = try work.folder(BytePath(job))
        return folder.status("source") == nil ? nil : try folder.folder("source")
    }

    /// The open folder that a path below `source` lies in, or nil when it was never made.
    func openParent(of path: BytePath, in source: OpenFolder) throws(WatchError) -> OpenFolder? {
        do {
            return try source.folder(path.parent)
        } catch {
            if error.code == "watch.missing" { return nil }
            throw error
        }
    }

    private func putBack(
        _ member: Claim.Member, of claim: Claim, _ from: OpenFolder, _ inbox: OpenFolder
    ) throws(WatchError) -> BytePath? {
        let name = member.path.name
        let folder = claim.folder.appending(member.path.parent)
        let to = try inbox.folder(folder, making: 0o777)
        // A copy, or a move to another file system that was interrupted before the original was removed.
        if let original = to.status(name), original.isSameContent(as: member.status),
            try FileTransfer.areIdentical(name, in: from, name, in: to)
        {
            try from.remove(name)
            return nil
        }
        for candidate in name.alternatives(claim.job) {
            do {
                try FileTransfer.move(name, in: from, to: candidate, in: to, allowingCopies: allowsCopies)
                return folder.appending(candidate)
            } catch {
                if error.code != "watch.exists" { throw error }
            }
        }
        throw .system(EEXIST, "put the file back", to.path.appending(name))
    }

    /// So that no source is ever removed together with a job's folder.
    private func checkHoldsNoFiles(_ folder: OpenFolder) throws(WatchError) {
        for (name, _) in try folder.entries() {
            if folder.status(name)?.kind == .folder {
                try checkHoldsNoFiles(try folder.folder(name))
            } else {
                // A copy that was not finished.
                if name.bytes.starts(with: ".rene-".utf8), name.hasEnding(Array(".tmp".utf8)) { continue }
                throw WatchError(
                    "watch.claim-record", .configuration, "the job's folder holds a file that its record does not name",
                    remedy: "Move the file to where it belongs, then remove the job's folder.",
                    path: folder.path.appending(name))
            }
        }
    }
}
