internal import CLinux
internal import Glibc

/// What this process may use of the machine.
public struct MachineResources: Sendable, Hashable {
    public var cores: Int
    /// Bytes.
    public var memory: Int

    public init(cores: Int, memory: Int) {
        self.cores = cores
        self.memory = memory
    }

    /// What the scheduler, the control group and the machine allow. Asks no file of `/proc` but this process's own: the
    /// service hides the others.
    public static func detect() -> MachineResources {
        var cores = max(1, Int(rene_available_cores()))
        let group = ControlGroup.own
        if let quota = group?.cores { cores = min(cores, max(1, Int(quota.rounded(.up)))) }
        let physical = Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(getpagesize())
        return MachineResources(cores: cores, memory: min(physical, group?.memory ?? physical))
    }
}

/// The limits of the control group (version 2) this process is in, those of its parents included.
struct ControlGroup {
    /// Processors' worth of time.
    var cores: Double?
    /// Bytes.
    var memory: Int?

    static var own: ControlGroup? {
        guard let text = SmallFile.read("/proc/self/cgroup", limit: 1 << 14) else { return nil }
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        guard let path = lines.first(where: { $0.hasPrefix("0::/") })?.dropFirst("0::".count) else { return nil }
        return ControlGroup(root: "/sys/fs/cgroup", path: String(path))
    }

    /// - Parameters:
    ///   - root: where the hierarchy is mounted.
    ///   - path: the group below it, such as `/system.slice/rene.service`.
    init(root: String, path: String) {
        var folder = root
        for part in [""] + path.split(separator: "/").map({ "/" + $0 }) {
            folder += part
            if let limit = Self.words(folder + "/memory.max")?.first.flatMap({ Int($0) }) {
                memory = min(memory ?? limit, limit)
            }
            // cpu.max: quota and period in microseconds; the quota may be "max".
            if let words = Self.words(folder + "/cpu.max"), words.count == 2, let quota = Double(words[0]),
                let period = Double(words[1]), period > 0
            {
                cores = min(cores ?? .infinity, quota / period)
            }
        }
    }

    private static func words(_ path: String) -> [Substring]? {
        SmallFile.read(path, limit: 4096).map { String(decoding: $0, as: UTF8.self).split { $0 == " " || $0 == "\n" } }
    }
}
