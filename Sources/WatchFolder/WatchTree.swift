/// Which watch is on which folder, both ways. Folders are relative to the root.
struct WatchTree {
    private var folders: [Int32: BytePath] = [:]
    private var watches: [BytePath: Int32] = [:]

    var count: Int { folders.count }

    func folder(_ watch: Int32) -> BytePath? { folders[watch] }

    /// The folder with this watch is at `folder` from now on, wherever it was before.
    mutating func set(_ watch: Int32, _ folder: BytePath) {
        if let old = folders[watch], old != folder, watches[old] == watch { watches[old] = nil }
        if let old = watches[folder], old != watch { folders[old] = nil }
        folders[watch] = folder
        watches[folder] = watch
    }

    mutating func remove(_ watch: Int32) {
        guard let folder = folders.removeValue(forKey: watch) else { return }
        if watches[folder] == watch { watches[folder] = nil }
    }

    /// Forgets `folder` and all below it; returns their watches. O(watches).
    mutating func removeSubtree(_ folder: BytePath) -> [Int32] {
        let gone = watches.filter { $0.key.isWithin(folder) }.map(\.value)
        for watch in gone { remove(watch) }
        return gone
    }

    /// Forgets every folder that is not in `seen`; returns their watches.
    mutating func keepOnly(_ seen: Set<BytePath>) -> [Int32] {
        let gone = watches.filter { !seen.contains($0.key) }.map(\.value)
        for watch in gone { remove(watch) }
        return gone
    }
}
