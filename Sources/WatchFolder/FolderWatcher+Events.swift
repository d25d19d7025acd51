extension FolderWatcher {
    /// Turns one event into hints, and keeps the watches in step with the folders.
    func handle(_ event: InotifyEvent, at now: Instant) {
        if event.mask.contains(.overflow) {
            hints.append(
                .problem(
                    WatchError(
                        "watch.overflow", .retryLater, "more events came than the kernel queues; scanning all folders",
                        remedy: "Nothing is lost; to avoid it raise sysctl fs.inotify.max_queued_events.", path: root)))
            requestScan(at: now)
            return
        }
        // A watch that was removed has events left in the queue; its folder has been scanned where it is now.
        guard let folder = tree.folder(event.watch) else { return }
        if !event.mask.isDisjoint(with: [.ignored, .unmounted, .selfDeleted, .selfMoved]) {
            if event.mask.contains(.ignored) { tree.remove(event.watch) }
            if folder.isEmpty { requestCheck() }
            return
        }
        guard !event.name.isEmpty else { return }
        let path = folder.appending(event.name)
        let isGone = !event.mask.isDisjoint(with: [.movedFrom, .deleted])
        if event.mask.contains(.isFolder) {
            handleFolder(path, isGone: isGone, at: now)
        } else if !filter.isTemporary(event.name) {
            hints.append(isGone ? .vanished(path) : .touched(path))
        }
    }

    private func handleFolder(_ path: BytePath, isGone: Bool, at now: Instant) {
        if isGone {
            for watch in tree.removeSubtree(path) { notifier?.remove(watch) }
            hints.append(.folderVanished(path))
            return
        }
        if filter.isModel(path.name) { hints.append(.found(path)) }
        guard !filter.ignoresFolder(path.name) else { return }
        shortage = nil
        scan(path)
        noteShortage(at: now)
    }
}
