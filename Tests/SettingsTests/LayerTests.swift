import Conversion
import ConverterKit
import Settings
import TestSupport
import Testing

@Suite("Layers of settings")
struct LayerTests {
    private func error(_ environment: [String: String], _ options: [(name: String, value: String)] = [])
        -> ConversionError?
    {
        do {
            _ = try DaemonSettings(file: nil, environment: environment, options: options)
            return nil
        } catch { return error }
    }

    @Test("options win over the environment, the environment over the file, the file over the defaults")
    func precedence() throws {
        let file = try SettingsFile.parse("seed: 1\nworkers: 1\nattempts: 7", name: "rene.yaml")
        let settings = try DaemonSettings(
            file: file, environment: ["RENE_SEED": "2", "RENE_WORKERS": "2", "RENE_ATTEMPTS": "", "PATH": "/bin"],
            options: [(name: "seed", value: "3")])
        #expect(settings.conversion.seed == 3)
        #expect(settings.workers == 2)
        #expect(settings.attempts == 7)
        #expect(settings.conversion.rankMultiple == DaemonSettings().conversion.rankMultiple)
    }

    @Test("lists and mappings are written with commas in the environment and in options")
    func lists() throws {
        let settings = try DaemonSettings(
            file: nil,
            environment: [
                "RENE_DECOMPOSITION": "svd,tt", "RENE_RANK": "/a/b=c=8x12,d=4", "RENE_REDUCE": "params=50%,macs=25%",
                "RENE_STAGE_DEADLINES": "default=10m", "RENE_STABILITY_DELAY": "2s",
            ],
            options: [(name: "max-error", value: "0.1"), (name: "exclude", value: "*/head")])
        #expect(settings.conversion.decomposition == ["svd", "tt"])
        #expect(settings.conversion.ranks == ["/a/b=c": [8, 12], "d": [4]])
        #expect(settings.conversion.reduce == [Reduction(.params, 0.5), Reduction(.macs, 0.25)])
        #expect(settings.stageDeadlines == ["default": 600])
        #expect(settings.stabilityDelay == 2)
        #expect(settings.conversion.maxError == 0.1)
        #expect(settings.conversion.exclude == ["*/head"])
    }

    @Test("an error names the variable or the option that it is in")
    func sources() {
        #expect(error(["RENE_WORKERS": "many"])?.site.file == "RENE_WORKERS")
        #expect(error([:], [(name: "max_error", value: "7")])?.site.file == "--max-error")
        #expect(error([:], [(name: "nonsense", value: "7")])?.code == "settings.unknown-key")
    }

    @Test("programs to run and folders cannot be set from the environment")
    func notFromEnvironment() throws {
        let settings = try DaemonSettings(
            file: nil, environment: ["RENE_ON_SUCCESS": "/bin/sh", "RENE_FOLDERS": "a=b"])
        #expect(settings.folders.isEmpty)
        let found = SettingsCheck.problems(path: nil, environment: ["RENE_ON_SUCCESS": "x", "RENE_PLUGIN_PATH": "y"])
        #expect(found.map(\.code) == ["settings.unknown-variable"])
    }

    @Test("a model's own file wins over its folder's settings, a later folder over an earlier one, both over the rest")
    func folders() throws {
        let file = try SettingsFile.parse(
            """
            seed: 1
            max_error: 0.1
            folders:
              "**": {rank_multiple: 2}
              vision: {seed: 2, priority: 5, max_error: ~}
              vision/*/large: {seed: 3, threads: 6}
            """, name: "rene.yaml")
        let settings = try DaemonSettings(file: file, options: [(name: "rank-multiple", value: "9")])
        let root = settings.job(in: [])
        #expect(root.conversion.seed == 1)
        #expect(root.conversion.rankMultiple == 2)
        #expect(root.threads == nil)
        let vision = settings.job(in: Array("vision".utf8))
        #expect(vision.conversion.seed == 2)
        #expect(vision.conversion.maxError == nil)
        #expect(vision.priority == 5)
        let large = settings.job(in: Array("vision/2026/large/old".utf8))
        #expect(large.conversion.seed == 3)
        #expect(large.threads == 6)
        #expect(large.conversion.threads == 6)
        let sidecar = try SettingsFile.parse("seed: 4", name: "m.rene.yaml", role: .sidecar)
        #expect(settings.job(in: Array("vision/2026/large".utf8), sidecar: sidecar).conversion.seed == 4)
        #expect(settings.conversion.rankMultiple == 9)
    }

    @Test("a sidecar holds settings of its conversion and no others")
    func sidecars() {
        #expect(settingsError("max_error: 0.1\nreduce: bytes=10%", role: .sidecar) == nil)
        for key in ["priority: 3", "workers: 2", "attempts: 2", "folders: {}", "source: delete", "log_level: debug"] {
            #expect(settingsError(key, role: .sidecar)?.code == "settings.misplaced-key", "\(key)")
        }
    }

    @Test(
        "patterns match a folder and all below it",
        arguments: [
            ("vision", "vision", true), ("vision", "vision/a/b", true), ("vision", "", false),
            ("vision", "x/vision", false),
            ("vision", "visions", false), ("*", "a", true), ("*", "", false), ("**", "", true), ("**", "a/b", true),
            ("**/large", "large", true), ("**/large", "a/b/large/c", true), ("**/large", "a/larger", false),
            ("a/*/c", "a/b/c", true), ("a/*/c", "a/c", false), ("a/**/c", "a/c", true), ("a/**/c", "a/x/y/c", true),
            ("v?s*n", "vision", true), ("v?s*n", "vsn", false), ("*a*b*", "xaxxb", true), ("*a*b*", "xbxa", false),
            ("dir/", "dir/x", true),
        ] as [(String, String, Bool)])
    func patterns(pattern: String, folder: String, matches: Bool) throws {
        let rule = try #require(FolderPattern(pattern))
        #expect(rule.matches(Array(folder.utf8)) == matches, "\(pattern) on \(folder)")
    }

    @Test("a pattern made to be slow is not", .timeLimit(.minutes(1)))
    func slowPattern() throws {
        let rule = try #require(FolderPattern(String(repeating: "**/*a*", count: 200) + "b"))
        #expect(!rule.matches(Array(String(repeating: "aaaaaaaa/", count: 400).utf8)))
        let star = try #require(FolderPattern(String(repeating: "*a", count: 500) + "b"))
        #expect(!star.matches([UInt8](repeating: 0x61, count: 4000)))
    }

    @Test("folders whose names are not UTF-8 are matched by their bytes")
    func bytes() throws {
        let rule = try #require(FolderPattern("a?b"))
        #expect(rule.matches([0x61, 0xff, 0x62]))
    }

    @Test("a reload names what changes, and what waits for a restart")
    func reload() throws {
        let old = try DaemonSettings(file: .parse("workers: 2\nfolders: {a: {seed: 1}}", name: "a"))
        let new = try DaemonSettings(file: .parse("polling: always\nworkers: 3\nfolders: {a: {seed: 2}}", name: "a"))
        let changes = old.changes(to: new)
        #expect(changes.map(\.key) == ["polling", "workers", "folders"])
        #expect(changes.map(\.needsRestart) == [true, false, false])
        #expect(changes[1].before == "2")
        #expect(changes[1].after == "3")
        #expect(old.changes(to: old).isEmpty)
    }

    @Test("pauses double up to their limit")
    func pauses() throws {
        var settings = DaemonSettings()
        settings.retryDelay = 10
        settings.retryDelayLimit = 100
        #expect((0...6).map { settings.retryPause(deferrals: $0) } == [10, 20, 40, 80, 100, 100, 100])
        #expect(settings.retryPause(deferrals: .max) == 100)
        #expect(settings.retryPause(deferrals: -3) == 10)
    }
}
