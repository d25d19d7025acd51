/// Which names are models, which are temporary, and which folders are left alone. Works on bytes; extensions are
/// compared without regard to ASCII case.
public struct NameFilter: Sendable, Hashable {
    /// Extensions of models without the dot, in lower case.
    public let modelExtensions: [String]

    public init(modelExtensions: [String]) {
        self.modelExtensions = modelExtensions.map { $0.lowercased() }
    }

    /// Endings under which programs keep a file until it is whole: browsers, download managers, transfer clients,
    /// editors.
    static let temporaryEndings: [[UInt8]] = [
        ".part", ".partial", ".filepart", ".crdownload", ".tmp", ".temp", ".download", ".opdownload", ".aria2", ".!qb",
        ".!ut", ".swp", ".swx", ".lock", ".in-progress", ".inprogress", ".uploading", "~",
    ].map { Array($0.utf8) }

    /// Folders that synchronizing programs, storage boxes and archivers keep for themselves. Names with a leading dot
    /// (`.stfolder`, `.stversions`, `.~tmp~` of rsync) are ignored without being listed.
    static let ignoredFolders: Set<BytePath> = [
        "@eaDir", "__MACOSX", "lost+found", "#recycle", "@Recycle", "$RECYCLE.BIN", "System Volume Information",
    ]

    /// Whether a file of that name is not (yet) meant for anybody: hidden (rsync's `.NAME.XXXXXX`, `.syncthing.*.tmp`,
    /// `.nfs*`), starting with `~` (`~syncthing~*`, `~$*`), or with an ending of a partial download.
    public func isTemporary(_ name: BytePath) -> Bool {
        guard let first = name.bytes.first else { return true }
        if first == UInt8(ascii: ".") || first == UInt8(ascii: "~") { return true }
        if first == UInt8(ascii: "#"), name.bytes.last == first { return true }
        return Self.temporaryEndings.contains { name.hasEnding($0) }
    }

    public func ignoresFolder(_ name: BytePath) -> Bool {
        name.bytes.first == UInt8(ascii: ".") || name.bytes.starts(with: "~syncthing~".utf8)
            || Self.ignoredFolders.contains(name)
    }

    /// Whether the name is that of a model: not temporary, with one of the extensions after a stem.
    public func isModel(_ name: BytePath) -> Bool { !isTemporary(name) && stem(of: name) != nil }

    /// The name without the model's extension; nil when it has none of them.
    public func stem(of name: BytePath) -> BytePath? {
        for ending in modelExtensions {
            let bytes = Array(("." + ending).utf8)
            if name.bytes.count > bytes.count, name.hasEnding(bytes) {
                return BytePath(name.bytes.dropLast(bytes.count))
            }
        }
        return nil
    }
}

extension BytePath {
    /// Whether the last bytes are `ending`, which is in lower case, ASCII case disregarded.
    func hasEnding(_ ending: [UInt8]) -> Bool {
        guard bytes.count >= ending.count else { return false }
        return bytes.suffix(ending.count).elementsEqual(ending) { left, right in
            (left >= UInt8(ascii: "A") && left <= UInt8(ascii: "Z") ? left | 0x20 : left) == right
        }
    }
}
