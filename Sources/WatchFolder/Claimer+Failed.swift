extension Claimer {
    /// Takes a failed job's files back: moves all that is in `folder` (a folder of `failed`, absolute) but `notes` into
    /// `.work/JOB/source`, and removes the folder. `model` is the model's path below the inbox. Durable as `claim`.
    ///
    /// The record is written before the first file is moved; `undo` would put the files into the inbox.
    public func claim(
        failed folder: BytePath, model: BytePath, notes: Set<BytePath>, job: String
    ) throws(WatchError) -> Claim {
        let failed = try OpenFolder(folder.parent)
        let from = try failed.folder(folder.name)
        var members: [Claim.Member] = []
        try collect(from, below: "", notes: notes, model: model.name, into: &members)
        members.sort { ($0.role == .model ? 1 : 0, $0.path) < ($1.role == .model ? 1 : 0, $1.path) }
        let claim = Claim(job: job, folder: model.parent, members: members)
        let work = try OpenFolder(layout.work).folder(BytePath(job), making: 0o700)
        let source = try work.folder("source", making: 0o700)
        try SmallFile.write(Array(ClaimRecord.text(claim).utf8), ClaimRecord.name, in: work, mode: 0o600)
        for member in members {
            let to = try source.folder(member.path.parent, making: 0o700)
            try FileTransfer.move(
                member.path.name, in: try from.folder(member.path.parent), to: member.path.name, in: to,
                allowingCopies: allowsCopies)
        }
        try failed.remove(folder.name)
        try failed.synchronize()
        return claim
    }

    private func collect(
        _ folder: OpenFolder, below path: BytePath, notes: Set<BytePath>, model: BytePath,
        into members: inout [Claim.Member]
    ) throws(WatchError) {
        for (name, _) in try folder.entries() {
            guard let status = folder.status(name) else { continue }
            let own = path.appending(name)
            if status.kind == .folder {
                try collect(try folder.folder(name), below: own, notes: notes, model: model, into: &members)
            } else if status.kind == .file, !notes.contains(own) {
                let isSidecar = path.isEmpty && [".rene.yaml", ".npz"].contains { name.hasEnding(Array($0.utf8)) }
                members.append(
                    .init(path: own, role: own == model ? .model : isSidecar ? .sidecar : .data, status: status))
            }
        }
    }
}
