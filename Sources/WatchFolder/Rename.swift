internal import Glibc

/// Renaming without ever replacing.
enum Rename {
    private typealias Call = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32

    /// `renameat2`, which the C library declares only behind _GNU_SOURCE.
    private static let call: Call? = {
        guard let symbol = unsafe dlsym(nil, "renameat2") else { return nil }
        return unsafe unsafeBitCast(symbol, to: Call.self)
    }()

    /// Moves an entry of `source` to `target` under a name that is free there; synchronizes nothing. Throws
    /// `watch.exists` when the name is taken, `watch.other-file-system` when the two are on different ones.
    static func move(
        _ name: BytePath, in source: OpenFolder, to newName: BytePath, in target: OpenFolder
    ) throws(WatchError) {
        let noReplace: UInt32 = 1
        if let call = unsafe call {
            let result = unsafe call(source.descriptor, name.cString, target.descriptor, newName.cString, noReplace)
            if result == 0 { return }
            // Some network file systems know no flags.
            guard errno == EINVAL || errno == ENOSYS else {
                throw .system(errno, "move \(source.path.appending(name))", target.path.appending(newName))
            }
        }
        try moveByLink(name, in: source, to: newName, in: target)
    }

    /// A link refuses a taken name as well. Where links cannot be made (folders, FAT), a look first is the best there
    /// is.
    static func moveByLink(
        _ name: BytePath, in source: OpenFolder, to newName: BytePath, in target: OpenFolder
    ) throws(WatchError) {
        let path = target.path.appending(newName)
        if unsafe linkat(source.descriptor, name.cString, target.descriptor, newName.cString, 0) == 0 {
            if unsafe unlinkat(source.descriptor, name.cString, 0) != 0 {
                throw .system(errno, "move", source.path.appending(name))
            }
            return
        }
        let number = errno
        guard number == EPERM || number == EOPNOTSUPP || number == EMLINK else {
            throw .system(number, "move \(source.path.appending(name))", path)
        }
        guard target.status(newName) == nil else { throw .system(EEXIST, "move \(source.path.appending(name))", path) }
        if unsafe renameat(source.descriptor, name.cString, target.descriptor, newName.cString) != 0 {
            throw .system(errno, "move \(source.path.appending(name))", path)
        }
    }
}
