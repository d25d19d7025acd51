internal import Glibc

extension SourceKeeper {
    /// A file that is put beside a failed source: `error.json`.
    public struct Note: Sendable, Hashable {
        public var name: BytePath
        public var bytes: [UInt8]

        public init(name: BytePath, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    /// Moves the source to `failed/SUBFOLDER/NAME/` together with notes and with files of the job's folder (names in
    /// it, the log for instance; those that are not there are passed over). `NAME` is the model's without its
    /// extension, with the stamp if it is taken. The folder appears whole or not at all: it is filled under a hidden
    /// name and renamed. Returns its absolute path.
    public func quarantine(
        _ claim: Claim, stamp: String, notes: [Note], files: [BytePath] = []
    ) throws(WatchError) -> BytePath {
        let parent = try OpenFolder(layout.failed).folder(claim.folder, making: 0o777)
        let hidden = BytePath(claim.job).temporaryName
        let name = claim.model.splitExtension.stem
        if try present(claim).isEmpty, parent.status(hidden) == nil {
            // An earlier attempt got to its end.
            let earlier = Array(name.alternativesAsFolder(stamp).prefix(2)).reversed()
            return parent.path.appending(earlier.first { parent.status($0) != nil } ?? name)
        }
        let target = try parent.folder(hidden, making: 0o777)
        for (member, from) in try present(claim) {
            let to = try target.folder(member.path.parent, making: 0o777)
            _ = try move(member, from, to: to, trying: [member.path.name])
        }
        let taken = Set(claim.members.map(\.path))
        let work = try OpenFolder(layout.work)
        if work.status(BytePath(claim.job)) != nil {
            let folder = try work.folder(BytePath(claim.job))
            for file in files where folder.status(file)?.kind == .file {
                let name = Self.beside(taken, file)
                // Left by an attempt that was interrupted: the newer one counts.
                try target.remove(name)
                try FileTransfer.move(file, in: folder, to: name, in: target, allowingCopies: claimer.allowsCopies)
            }
        }
        for note in notes {
            try SmallFile.write(note.bytes, Self.beside(taken, note.name), in: target, mode: 0o666)
        }
        for name in name.alternativesAsFolder(stamp) {
            do throws(WatchError) {
                try Rename.move(hidden, in: parent, to: name, in: parent)
                try parent.synchronize()
                return parent.path.appending(name)
            } catch {
                guard error.code == "watch.exists" else { throw error }
            }
        }
        throw .system(EEXIST, "make the folder of the failed job", parent.path.appending(claim.model))
    }

    /// The name for a note that does not hide one of the source's own files.
    private static func beside(_ taken: Set<BytePath>, _ name: BytePath) -> BytePath {
        taken.contains(name) ? BytePath("rene.".utf8 + name.bytes) : name
    }
}

extension BytePath {
    /// As `alternatives`, for a name whose last dot starts no extension.
    fileprivate func alternativesAsFolder(_ stamp: String) -> some Sequence<BytePath> {
        (0..<1000).lazy.map { number in
            if number == 0 { return self }
            let tail = Array((number == 1 ? ".\(stamp)" : ".\(stamp)-\(number)").utf8)
            if self.bytes.count + tail.count <= Self.longestName { return BytePath(self.bytes + tail) }
            let mark = Array("~\(self.nameHash)".utf8)
            return BytePath(self.bytes.prefix(Self.longestName - tail.count - mark.count) + mark + tail)
        }
    }
}
