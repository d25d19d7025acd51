internal import Glibc

extension Claimer {
    /// Takes a source of one file back from `done`, to be converted again: moves `file` (absolute) into
    /// `.work/JOB/source` under its model's name. `model` is the model's path below the inbox. Durable as `claim`.
    public func claim(done file: BytePath, model: BytePath, job: String) throws(WatchError) -> Claim {
        let from = try OpenFolder(file.parent)
        guard let status = from.status(file.name), status.kind == .file else { throw .notRegular(file) }
        let name = model.name
        let claim = Claim(
            job: job, folder: model.parent, members: [.init(path: name, role: .model, status: status)])
        let work = try OpenFolder(layout.work).folder(BytePath(job), making: 0o700)
        let source = try work.folder("source", making: 0o700)
        try SmallFile.write(Array(ClaimRecord.text(claim).utf8), ClaimRecord.name, in: work, mode: 0o600)
        try FileTransfer.move(file.name, in: from, to: name, in: source, allowingCopies: allowsCopies)
        return claim
    }
}
