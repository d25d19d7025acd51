internal import Glibc

/// The program that does a job.
public struct WorkerCommand: Sendable, Hashable {
    public var executable: String
    /// Without the program's own name.
    public var arguments: [String]
    /// The whole environment, `NAME=value`.
    public var environment: [String]

    public init(executable: String, arguments: [String], environment: [String]) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
    }

    /// This program as a worker. It is named through `/proc`, so that after an upgrade of the file a running daemon
    /// still starts workers of its own version.
    public static func worker(
        jobFile: String, threads: Int, extraArguments: [String] = [],
        inheriting variables: [String] = currentEnvironment
    ) -> WorkerCommand {
        WorkerCommand(
            executable: "/proc/self/exe", arguments: ["worker", jobFile] + extraArguments,
            environment: environment(threads: threads, inheriting: variables))
    }

    /// Variables that a worker is given from the daemon's environment. Not among them: the notification socket and the
    /// journal, with which a worker could speak for the daemon.
    static let inherited = [
        "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE",
        "RENE_PLUGIN_PATH",
    ]

    static func environment(threads: Int, inheriting variables: [String]) -> [String] {
        variables.filter { variable in inherited.contains { variable.hasPrefix($0 + "=") } } + [
            "OPENBLAS_NUM_THREADS=\(threads)", "OMP_NUM_THREADS=\(threads)",
            // The back-tracer attaches with ptrace, which the service's system call filter does not allow.
            "SWIFT_BACKTRACE=enable=no",
        ]
    }

    /// The environment of this process.
    public static var currentEnvironment: [String] {
        var variables: [String] = []
        var cursor = unsafe environ
        while let entry = unsafe cursor.pointee {
            variables.append(unsafe String(cString: entry))
            unsafe cursor += 1
        }
        return variables
    }
}
