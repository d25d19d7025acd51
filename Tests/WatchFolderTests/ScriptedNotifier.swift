import Synchronization
import WatchFolder

/// A notifier that says what the test tells it to.
final class ScriptedNotifier: FolderNotifier {
    var events: [InotifyEvent] = []
    /// How many watches are granted; more end in ENOSPC.
    var limit = Int.max
    private(set) var watched: [BytePath: Int32] = [:]

    var descriptor: Int32 { -1 }

    func add(_ folder: BytePath) throws(WatchError) -> Int32 {
        if let watch = watched[folder] { return watch }
        guard watched.count < limit else { throw InotifyNotifier.limit(28, folder) }
        watched[folder] = Int32(watched.count + 1)
        return watched[folder] ?? 0
    }

    func remove(_ watch: Int32) { watched = watched.filter { $0.value != watch } }

    func read() throws(WatchError) -> [InotifyEvent] {
        defer { events = [] }
        return events
    }
}
