internal import Glibc

/// How many processes the kernel has killed for lack of memory, to tell its SIGKILL from a person's.
enum OutOfMemoryKills {
    /// The count of the whole machine since its start, or of the own control group where the machine's is hidden
    /// (`ProcSubset=pid`); `nil` where neither can be read.
    static var count: Int? {
        if let count = field("oom_kill", of: "/proc/vmstat") { return count }
        guard let line = text("/proc/self/cgroup")?.split(separator: "\n").first(where: { $0.hasPrefix("0::") }) else {
            return nil
        }
        return field("oom_kill", of: "/sys/fs/cgroup" + line.dropFirst(3) + "/memory.events")
    }

    /// The number behind a name at the start of a line.
    private static func field(_ name: String, of path: String) -> Int? {
        text(path)?.split(separator: "\n").first { $0.hasPrefix(name + " ") }
            .flatMap { Int($0.dropFirst(name.utf8.count + 1)) }
    }

    private static func text(_ path: String) -> String? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe read(file, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
