internal import CONNX
internal import Glibc

/// A folder that files are opened beneath and never outside of, whatever a path or a symbolic link says.
final class BeneathFolder: Sendable {
    let descriptor: Int32
    /// Lets the kernel walk the path in one step; the walk by component is for kernels and filters without openat2.
    private let usesKernelWalk: Bool

    /// A system call's error number.
    struct Failure: Error {
        var number: Int32
        var description: String { unsafe String(cString: strerror(number)) }
    }

    init(path: String, usesKernelWalk: Bool = true) throws(Failure) {
        descriptor = unsafe Glibc.open(path.isEmpty ? "." : path, rene_open_as_path | O_DIRECTORY | O_CLOEXEC)
        self.usesKernelWalk = usesKernelWalk
        guard descriptor >= 0 else { throw Failure(number: errno) }
    }

    deinit { close(descriptor) }

    /// Opens the file at the relative `path`. `ELOOP` when any component is a symbolic link, `EXDEV` when the path
    /// leaves the folder. `O_NOFOLLOW` and `O_CLOEXEC` are added to `flags`.
    func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(Failure) -> Int32 {
        let flags = flags | O_NOFOLLOW | O_CLOEXEC
        if usesKernelWalk {
            let result = unsafe rene_open_beneath(descriptor, path, flags, mode)
            if result >= 0 { return result }
            if result != -ENOSYS && result != -EPERM { throw Failure(number: -result) }
        }
        return try openByComponent(path, flags, mode)
    }

    /// Makes the folders that lead to the file at `path`; returns those that were not there, outermost first.
    func makeFolders(for path: String) throws(Failure) -> [String] {
        var made: [String] = []
        let components = path.split(separator: "/").dropLast()
        for count in components.indices {
            let folder = components[...count].joined(separator: "/")
            let parent = components[..<count].joined(separator: "/")
            let inside = try open(parent.isEmpty ? "." : parent, rene_open_as_path | O_DIRECTORY)
            defer { close(inside) }
            if unsafe mkdirat(inside, String(components[count]), 0o755) == 0 {
                made.append(folder)
            } else if errno != EEXIST {
                throw Failure(number: errno)
            }
        }
        return made
    }

    private func openByComponent(_ path: String, _ flags: Int32, _ mode: mode_t) throws(Failure) -> Int32 {
        guard !path.hasPrefix("/") else { throw Failure(number: EXDEV) }
        let components = path.split(separator: "/").filter { $0 != "." }
        guard let last = components.last else { return try step(descriptor, ".", flags, mode) }
        var folder = descriptor
        defer { if folder != descriptor { close(folder) } }
        for component in components.dropLast() {
            let next = try step(folder, String(component), rene_open_as_path | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
            if folder != descriptor { close(folder) }
            folder = next
        }
        return try step(folder, String(last), flags, mode)
    }

    private func step(_ folder: Int32, _ name: String, _ flags: Int32, _ mode: mode_t) throws(Failure) -> Int32 {
        guard name != ".." else { throw Failure(number: EXDEV) }
        let result = unsafe openat(folder, name, flags, mode)
        if result >= 0 { return result }
        let number = errno
        // A link in the middle of a path gives ENOTDIR; say what it is.
        var status = stat()
        let isLink =
            unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_mode & S_IFMT == S_IFLNK
        throw Failure(number: isLink ? ELOOP : number)
    }
}
