import Glibc
import JobStore
import TestSupport

/// A folder for `rene watch`, and what is in it.
final class WatchedRoot {
    let path: String
    private let folder: TemporaryFolder
    private(set) var programs: [Program] = []

    /// - Parameter settings: lines of the settings file, beside a short delay.
    init(settings: String = "", at path: String? = nil) throws {
        folder = try TemporaryFolder()
        self.path = path ?? folder.path + "/root"
        mkdir(self.path, 0o755)
        for name in ["inbox", "staging"] { mkdir("\(self.path)/\(name)", 0o755) }
        try write("rene.yaml", "stability_delay: 0.3\nretry_delay: 0.5\nretry_delay_limit: 1\n" + settings)
    }

    /// Settings and log lie outside of the root, which may be full.
    func write(_ name: String, _ text: String) throws { try folder.write(name, Array(text.utf8)) }

    var settingsPath: String { folder.path + "/rene.yaml" }

    var log: String { String(decoding: (try? folder.read("log")) ?? [], as: UTF8.self) }

    func start(_ arguments: String..., environment: [String] = []) throws -> Program {
        try Program(
            ["watch", path, "--config", folder.path + "/rene.yaml"] + arguments, log: folder.path + "/log",
            environment: environment)
    }

    /// Writes a file into `staging` on the same file system.
    @discardableResult
    func stage(_ name: String, _ bytes: [UInt8]) throws -> String {
        let full = "\(path)/staging/\(name)"
        guard let stream = fopen(full, "we") else { throw Program.Failure(what: "fopen \(full): \(errno)") }
        defer { fclose(stream) }
        guard fwrite(bytes, 1, bytes.count, stream) == bytes.count else {
            throw Program.Failure(what: "fwrite \(full): \(errno)")
        }
        return full
    }

    /// Puts a file into the inbox by a rename.
    func drop(_ name: String, _ bytes: [UInt8]) throws {
        rename(try stage("drop.tmp", bytes), "\(path)/inbox/\(name)")
    }

    func has(_ name: String) -> Bool { access("\(path)/\(name)", F_OK) == 0 }

    /// Paths of the regular files below a folder, sorted.
    func files(_ name: String) -> [String] {
        Shell.run("cd '\(path)/\(name)' 2>/dev/null && find . -type f | sort").output.split(separator: "\n")
            .map { String($0.dropFirst(2)) }
    }

    func jobs(_ states: Set<JobState> = []) throws -> [Job] {
        let store = try JobStore(path: path + "/state.sqlite", access: .visitor)
        return try store.list(JobFilter(states: states, limit: 100_000))
    }

    func integrityProblems() throws -> [String] {
        try JobStore(path: path + "/state.sqlite", access: .visitor).integrityProblems()
    }

    /// Whether the result of `NAME.onnx` is whole.
    func isPublished(_ stem: String) -> Bool {
        ["onnx", "report.json", "report.html"].allSatisfy { has("outbox/\(stem).\($0)") }
    }

    /// Processes that a program has started for conversions.
    static func workers(of program: Program) -> [pid_t] {
        let lines = Shell.run("cat /proc/\(program.process)/task/*/children 2>/dev/null").output
        return lines.split { $0 == " " || $0 == "\n" }.compactMap { pid_t($0) }.filter { process in
            let command = Shell.run("tr '\\0' ' ' < /proc/\(process)/cmdline 2>/dev/null").output
            return command.contains("worker") && !command.contains(".inspect")
        }
    }
}
