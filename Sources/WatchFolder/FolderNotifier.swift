/// Who tells of changes in folders: inotify, or a script of events in a test. Without one the folder is polled.
package protocol FolderNotifier: AnyObject {
    /// Readable when there are events; −1 if there is nothing to wait on.
    var descriptor: Int32 { get }

    /// Watches the folder at an absolute path. Returns the number that its events carry: the same again when that
    /// folder is watched already. Throws `watch.watch-limit` when the system grants no more.
    func add(_ folder: BytePath) throws(WatchError) -> Int32

    /// Stops watching. Unknown numbers are fine.
    func remove(_ watch: Int32)

    /// The events that are there now; does not wait.
    func read() throws(WatchError) -> [InotifyEvent]
}
