internal import ConverterKit
internal import Glibc
internal import WatchFolder

/// The models of a folder and its sub-folders.
struct BatchZoo {
    let folder: BytePath
    let filter: NameFilter
    /// A folder inside that holds results, to be passed over.
    let excluded: (device: UInt64, inode: UInt64)?

    /// Paths of the models below the folder, sorted by their bytes, so that every machine numbers them alike. Links and
    /// hidden files are passed over.
    func models() throws(WatchError) -> [BytePath] {
        var found: [BytePath] = []
        try collect(try OpenFolder(folder), below: "", into: &found)
        return found.sorted()
    }

    private func collect(
        _ folder: OpenFolder, below path: BytePath, into found: inout [BytePath]
    ) throws(WatchError) {
        for (name, _) in try folder.entries() {
            guard let status = folder.status(name) else { continue }
            let own = path.appending(name)
            if status.kind == .folder, !filter.ignoresFolder(name) {
                if let excluded, excluded == (status.device, status.inode) { continue }
                try collect(try folder.folder(name), below: own, into: &found)
            } else if status.kind == .file, filter.isModel(name) {
                found.append(own)
            }
        }
    }
}
