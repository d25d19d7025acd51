internal import ConverterKit
internal import Glibc

/// What a worker may take; the worker sets these on itself before it touches the model.
public struct WorkerLimits: Codable, Sendable, Hashable {
    /// Bytes of private writable memory (`RLIMIT_DATA`). Not address space: an exporter reserves far more of that than it
    /// ever touches. `nil` leaves it open.
    public var memory: Int?
    /// Seconds of processor time over all threads (`RLIMIT_CPU`).
    public var cpuSeconds: Int?
    /// Bytes of the largest file it may write (`RLIMIT_FSIZE`).
    public var fileBytes: Int?
    /// Open files (`RLIMIT_NOFILE`).
    public var openFiles: Int?

    public init(memory: Int? = nil, cpuSeconds: Int? = nil, fileBytes: Int? = nil, openFiles: Int? = 1024) {
        self.memory = memory
        self.cpuSeconds = cpuSeconds
        self.fileBytes = fileBytes
        self.openFiles = openFiles
    }

    /// Limits this process and makes it the first choice of the kernel when memory runs out.
    func apply() throws(ConversionError) {
        try Self.set(RLIMIT_CORE, to: 0, name: "core")
        if let memory { try Self.set(RLIMIT_DATA, to: memory, name: "memory") }
        if let fileBytes { try Self.set(RLIMIT_FSIZE, to: fileBytes, name: "file size") }
        if let openFiles { try Self.set(RLIMIT_NOFILE, to: openFiles, name: "open files") }
        if let cpuSeconds {
            // The soft limit ends the process with SIGXCPU, the hard one with a SIGKILL that would look like a lack of
            // memory: they must not coincide.
            try Self.set(RLIMIT_CPU, to: cpuSeconds, hard: cpuSeconds + 60, name: "processor time")
        }
        // Refused in some containers; the limits above hold without it.
        _ = try? SmallFile.overwrite("/proc/self/oom_score_adj", with: Array("500".utf8))
    }

    private static func set(
        _ resource: __rlimit_resource, to soft: Int, hard: Int? = nil, name: String
    ) throws(ConversionError) {
        let number = __rlimit_resource_t(resource.rawValue)
        var limit = rlimit()
        guard soft >= 0, unsafe getrlimit(number, &limit) == 0 else { throw refused(name, soft) }
        limit.rlim_max = min(limit.rlim_max, rlim_t(hard ?? soft))
        limit.rlim_cur = min(limit.rlim_max, rlim_t(soft))
        guard unsafe setrlimit(number, &limit) == 0 else { throw refused(name, soft) }
    }

    private static func refused(_ name: String, _ value: Int) -> ConversionError {
        ConversionError(
            "worker.limit-refused", .internal, "the limit of \(name) cannot be set to \(value)",
            remedy: "Report this with the settings of the daemon.",
            cause: unsafe String(cString: strerror(errno)))
    }
}
