extension FolderWatcher {
    /// Walks `top` (relative to the root) and what is below it. Each folder is watched first and listed then, so a file
    /// that comes in between is told of twice and never missed. Returns the folders that were seen.
    @discardableResult
    func scan(_ top: BytePath) -> Set<BytePath> {
        var seen: Set<BytePath> = []
        var stack: [(path: BytePath, depth: Int)] = [(top, top.components.count)]
        while let (path, depth) = stack.popLast() {
            guard depth <= options.maximumDepth else {
                reportUnreadable(
                    path,
                    WatchError(
                        "watch.too-deep", .configuration,
                        "the folder is more than \(options.maximumDepth) levels below the inbox and is not looked into",
                        remedy: "Move it further up.", path: root.appending(path)))
                continue
            }
            do {
                watch(path)
                let folder = try OpenFolder(root).folder(path)
                let entries = try folder.entries()
                seen.insert(path)
                unreadable.remove(path)
                for (name, listed) in entries {
                    let kind = listed ?? folder.status(name)?.kind
                    if kind == .folder {
                        if !filter.ignoresFolder(name) { stack.append((path.appending(name), depth + 1)) }
                        // A folder with a model's name is worth a word.
                        if filter.isModel(name) { hints.append(.found(path.appending(name))) }
                    } else if !filter.isTemporary(name) {
                        hints.append(.found(path.appending(name)))
                    }
                }
            } catch {
                // Gone since its parent was listed: the next event says so. The root itself: the guard says so.
                if path.isEmpty { requestCheck() }
                if error.disposition != .outdated { reportUnreadable(path, error) }
            }
        }
        return seen
    }

    private func reportUnreadable(_ path: BytePath, _ error: WatchError) {
        if unreadable.insert(path).inserted { hints.append(.problem(error)) }
    }

    private func watch(_ path: BytePath) {
        guard let notifier else { return }
        do {
            tree.set(try notifier.add(root.appending(path)), path)
        } catch {
            // Other failures (no permission, gone) show again when the folder is listed.
            guard error.code == "watch.watch-limit" else { return }
            // About the whole: which folder was the first to get none differs from scan to scan, and is no news.
            shortage = error
            shortage?.path = root
        }
    }
}
