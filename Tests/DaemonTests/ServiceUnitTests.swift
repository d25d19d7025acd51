import TestSupport
import Testing

/// The files of the service, as the service manager's own tools judge them.
@Suite("Service files")
struct ServiceUnitTests {
    static let hasManager = Shell.run("command -v systemd-analyze").status == 0
    static let scripts = Checkout.path + "/Scripts"

    /// The unit as the installation writes it.
    static func unit(in folder: TemporaryFolder) -> String {
        let path = folder.path + "/rene.service"
        _ = Shell.run("sed 's#@BINDIR@#/bin#; s#/bin/rene #/bin/true #' '\(scripts)/service/rene.service' > '\(path)'")
        return path
    }

    @Test("the unit's exposure is at most 1.5", .enabled(if: hasManager))
    func exposure() throws {
        let folder = try TemporaryFolder()
        let command =
            "systemd-analyze security --offline=true --no-pager --threshold=15 '\(Self.unit(in: folder))' 2>&1"
        let (output, status) = Shell.run(command)
        #expect(status == 0, "\(output.suffix(2000))")
        #expect(output.contains("Overall exposure level"))
    }

    @Test("the unit has no setting that the manager does not know", .enabled(if: hasManager))
    func verification() throws {
        let folder = try TemporaryFolder()
        let (output, _) = Shell.run(
            "systemd-analyze verify --man=no '\(Self.unit(in: folder))' 2>&1 | grep rene.service")
        #expect(output.isEmpty)
    }

    @Test("the shell scripts are sound", arguments: ["install", "uninstall", "slurm-array"])
    func syntax(script: String) {
        let (output, status) = Shell.run("sh -n '\(Self.scripts)/\(script)' 2>&1")
        #expect(status == 0, "\(output)")
    }

    @Test(
        "each task of a Slurm array takes its own shard, wherever the array begins",
        arguments: [
            ("1", "1", "16", "1", "1/16"), ("0", "0", "4", "1", "1/4"), ("3", "0", "4", "1", "4/4"),
            ("9", "1", "5", "2", "5/5"),
        ])
    func shards(task: String, least: String, count: String, step: String, shard: String) {
        let (output, status) = Shell.run(
            "RENE=echo SLURM_ARRAY_TASK_ID=\(task) SLURM_ARRAY_TASK_MIN=\(least) SLURM_ARRAY_TASK_COUNT=\(count)"
                + " SLURM_ARRAY_TASK_STEP=\(step) SLURM_CPUS_PER_TASK=3 '\(Self.scripts)/slurm-array' 'a b' out --quiet"
        )
        #expect(status == 0)
        #expect(output == "batch a b out --quiet --shard \(shard) --jobs 3\n")
    }

    @Test("a task outside of an array is refused")
    func noArray() {
        #expect(Shell.run("'\(Self.scripts)/slurm-array' in out 2>/dev/null").status == 64)
    }
}
