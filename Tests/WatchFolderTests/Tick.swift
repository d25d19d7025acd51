import WatchFolder

/// An instant of a clock that only the test moves.
struct Tick: InstantProtocol {
    var offset: Duration = .zero

    static func at(_ seconds: Double) -> Tick { Tick(offset: .seconds(seconds)) }

    func advanced(by duration: Duration) -> Tick { Tick(offset: offset + duration) }
    func duration(to other: Tick) -> Duration { other.offset - offset }
    static func < (left: Tick, right: Tick) -> Bool { left.offset < right.offset }
}

/// Files as a table.
struct TableProbe: FileProbe {
    var files: [BytePath: FileStatus] = [:]
    var access: [BytePath: FileAccess] = [:]

    func status(of path: BytePath) -> FileStatus? { files[path] }
    func access(to path: BytePath) -> FileAccess { access[path] ?? .free }

    /// A regular file, or another kind; `version` stands for its times.
    static func file(
        _ size: Int, version: Int = 1, inode: UInt64 = 1, kind: FileStatus.Kind = .file
    ) -> FileStatus {
        FileStatus(
            kind: kind, device: 1, inode: inode, size: size, modified: .init(seconds: version),
            changed: .init(seconds: version))
    }
}
