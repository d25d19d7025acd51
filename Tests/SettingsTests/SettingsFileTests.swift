import Conversion
import ConverterKit
import Settings
import TestSupport
import Testing

/// The error that a settings text gives, or `nil`.
func settingsError(
    _ text: String, role: SettingsFile.Role = .daemon, vocabulary: SettingsVocabulary? = nil
) -> ConversionError? {
    do {
        _ = try SettingsFile.parse(text, name: "rene.yaml", role: role, vocabulary: vocabulary)
        return nil
    } catch {
        return error
    }
}

@Suite("The settings file")
struct SettingsFileTests {
    @Test("every kind of value is read")
    func values() throws {
        let text = """
            # A comment.
            decomposition: [svd, tt]
            search: knapsack
            reduce: [params=50%, macs=0.25]
            max-error: 1e-2
            exclude: "*/head"
            rank: {"/layer1/conv": 8, "b=c": [3, 4], d: 5x6}
            input_shape:
              x: [1, 3, 224, 224]
            seed: 18446744073709551615
            threads: 2
            memory_limit: 1.5G
            overwrite: true
            stability_delay: 500ms
            rescan_interval: 5m
            polling: always
            workers: 3
            stage_deadlines: {default: 1h, searching: 2d}
            source: delete
            log_level: debug
            """
        let settings = try DaemonSettings(file: .parse(text, name: "rene.yaml"))
        #expect(settings.conversion.decomposition == ["svd", "tt"])
        #expect(settings.conversion.search == "knapsack")
        #expect(settings.conversion.reduce == [Reduction(.params, 0.5), Reduction(.macs, 0.25)])
        #expect(settings.conversion.maxError == 0.01)
        #expect(settings.conversion.exclude == ["*/head"])
        #expect(settings.conversion.ranks == ["/layer1/conv": [8], "b=c": [3, 4], "d": [5, 6]])
        #expect(settings.conversion.inputShapes == ["x": [1, 3, 224, 224]])
        #expect(settings.conversion.seed == .max)
        #expect(settings.threads == 2)
        #expect(settings.conversion.threads == 2)
        #expect(settings.conversion.memoryLimit == 3 << 29)
        #expect(settings.conversion.overwrite)
        #expect(settings.stabilityDelay == 0.5)
        #expect(settings.rescanInterval == 300)
        #expect(settings.polling == .always)
        #expect(settings.workers == 3)
        #expect(settings.deadline(ofStage: "searching") == 172_800)
        #expect(settings.deadline(ofStage: "writing") == 3600)
        #expect(settings.source == .delete)
        #expect(settings.logLevel == .debug)
    }

    @Test("an empty file changes nothing", arguments: ["", "# nothing", "---\n", "{}", "~"])
    func empty(text: String) throws {
        #expect(try DaemonSettings(file: .parse(text, name: "rene.yaml")) == DaemonSettings())
    }

    /// A text, the code that it gives, and the place.
    struct Wrong: Sendable, CustomStringConvertible {
        var text: String
        var code: String
        var line: Int
        var column: Int
        var description: String { "\(text.prefix(40)) → \(code)" }

        init(_ text: String, _ code: String, _ line: Int, _ column: Int) {
            (self.text, self.code, self.line, self.column) = (text, code, line, column)
        }
    }

    static let wrong: [Wrong] = [
        Wrong("seed: 1\nmax_eror: 0.1", "settings.unknown-key", 2, 1),
        Wrong("max_error: much", "settings.wrong-type", 1, 12),
        Wrong("max_error: \"0.1\"", "settings.wrong-type", 1, 12),
        Wrong("max_error: .inf", "settings.wrong-type", 1, 12),
        Wrong("max_error: nan", "settings.wrong-type", 1, 12),
        Wrong("max_error: 1", "settings.out-of-range", 1, 12),
        Wrong("max_error: -0.1", "settings.out-of-range", 1, 12),
        Wrong("max_error: [0.1]", "settings.wrong-type", 1, 12),
        Wrong("workers: 0", "settings.out-of-range", 1, 10),
        Wrong("workers: 1.5", "settings.wrong-type", 1, 10),
        Wrong("workers: 99999999999999999999", "settings.out-of-range", 1, 10),
        Wrong("seed: -1", "settings.out-of-range", 1, 7),
        Wrong("attempts: ~", "settings.wrong-type", 1, 11),
        Wrong("overwrite: yes", "settings.wrong-type", 1, 12),
        Wrong("polling: sometimes", "settings.unknown-value", 1, 10),
        Wrong("stability_delay: 5 minutes", "settings.wrong-type", 1, 18),
        Wrong("stability_delay: 2000d", "settings.out-of-range", 1, 18),
        Wrong("worker_memory_limit: 1K", "settings.out-of-range", 1, 22),
        Wrong("memory_limit: lots", "settings.wrong-type", 1, 15),
        Wrong("memory_limit: 1e30", "settings.out-of-range", 1, 15),
        Wrong("reduce: params=150%", "settings.unknown-value", 1, 9),
        Wrong("reduce:\n  - params=50%\n  - speed=2", "settings.unknown-value", 3, 5),
        Wrong("rank:\n  a: 4\n  b: 0", "settings.out-of-range", 3, 6),
        Wrong("rank: 5", "settings.wrong-type", 1, 7),
        Wrong("include: [a, '']", "settings.out-of-range", 1, 14),
        Wrong("decomposition: []", "settings.out-of-range", 1, 16),
        Wrong("decomposition: S V D", "settings.unknown-value", 1, 16),
        Wrong("seed: 1\nseed: 2", "settings.duplicate-key", 1, 1),
        Wrong("max_error: 0.1\nmax-error: 0.2", "settings.duplicate-key", 2, 1),
        Wrong("- seed", "settings.not-a-mapping", 1, 1),
        Wrong("42", "settings.not-a-mapping", 1, 1),
        Wrong("seed: 1\n  workers: 2", "settings.syntax", 2, 10),
        Wrong("seed: *nothing", "settings.syntax", 1, 7),
        Wrong("seed: [1, 2", "settings.syntax", 2, 1),
        Wrong("seed: 1\n---\nseed: 2", "settings.syntax", 2, 1),
        Wrong("folders:\n  vision:\n    workers: 3", "settings.misplaced-key", 3, 5),
        Wrong("folders:\n  vision:\n    max_error: 7", "settings.out-of-range", 3, 16),
        Wrong("folders:\n  /vision: {}", "settings.out-of-range", 2, 3),
        Wrong("folders:\n  a/../b: {}", "settings.out-of-range", 2, 3),
        Wrong("folders: [vision]", "settings.wrong-type", 1, 10),
        Wrong("[1]: 2", "settings.wrong-type", 1, 1),
    ]

    @Test("what is wrong is said with its line, its column and a remedy", arguments: wrong)
    func errors(wrong: Wrong) {
        let error = settingsError(wrong.text)
        #expect(error?.code.name == wrong.code, "\(wrong.text): \(error as Any)")
        #expect(
            error?.message.hasPrefix("line \(wrong.line), column \(wrong.column): ") == true,
            "\(wrong.text): \(error?.message ?? "")")
        #expect(error?.kind == .configuration)
        #expect(error?.kind.exitStatus == 78)
        #expect(error?.remedy.isEmpty == false)
        #expect(error?.site.file == "rene.yaml")
    }

    @Test("the key of a nested value is named in full")
    func nestedKey() {
        #expect(
            settingsError("folders:\n  vision/*:\n    rank: {conv: [3, 0]}")?.message.contains(
                "folders.vision/*.rank.conv[1]: ") == true)
    }

    @Test("a misspelt key is answered with the right one")
    func suggestion() {
        #expect(settingsError("max_eror: 0.1")?.remedy == "Did you mean max_error?")
        #expect(settingsError("quux: 0.1")?.remedy.contains("stability_delay") == true)
    }

    @Test("names that no plugin or registry knows are found where the names are given")
    func vocabulary() {
        let vocabulary = SettingsVocabulary(
            decompositions: ["svd", "tucker"], searches: ["rene"], formats: ["onnx"], stages: ["searching"])
        for text in [
            "decomposition: [svd, tuker]", "search: uniform", "format: gguf", "stage_deadlines: {serching: 3}",
        ] {
            #expect(settingsError(text) == nil)
            #expect(settingsError(text, vocabulary: vocabulary)?.code == "settings.unknown-value", "\(text)")
        }
        #expect(settingsError("decomposition: [auto]", vocabulary: vocabulary) == nil)
        #expect(settingsError("decomposition: tuker", vocabulary: vocabulary)?.remedy == "Did you mean tucker?")
        #expect(
            settingsError("folders: {a: {search: uniform}}", vocabulary: vocabulary)?.code == "settings.unknown-value")
    }

    @Test("all problems are reported at once by the check, in the form of a compiler")
    func check() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("rene.yaml", Array("workers: 0\nmax_eror: 1\nfolders: {a: {seed: x, b: 1}}\n".utf8))
        let problems = SettingsCheck.problems(path: path, environment: ["RENE_WORKRES": "3", "RENE_SEED": "x"])
        #expect(
            problems.map(\.code) == [
                "settings.out-of-range", "settings.unknown-key", "settings.wrong-type", "settings.unknown-key",
                "settings.wrong-type", "settings.unknown-variable",
            ])
        #expect(problems.map(\.severity) == [.error, .error, .error, .error, .error, .warning])
        #expect(problems[0].description.hasPrefix("\(path):1:10: error: workers: "))
        #expect(problems[5].remedy == "Did you mean RENE_WORKERS?")
        #expect(SettingsCheck.problems(path: nil).isEmpty)
        #expect(problems.allSatisfy { SettingsProblem.codes.contains($0.code) })
    }

    @Test("a file that is missing, a folder, a FIFO or not UTF-8 is an error, at once")
    func unreadable() throws {
        let folder = try TemporaryFolder()
        func code(_ name: String) -> String? {
            do {
                _ = try SettingsFile.load(path: folder.path + "/" + name)
                return nil
            } catch { return error.code.name }
        }
        #expect(code("none") == "settings.missing")
        #expect(code("") == "settings.unreadable")
        #expect(Shell.run("mkfifo '\(folder.path)/fifo'").status == 0)
        #expect(code("fifo") == "settings.unreadable")
        try folder.write("latin1", [0x73, 0xe9])
        #expect(code("latin1") == "settings.not-utf8")
    }

    @Test("the settings that hold are printed as JSON that reads back as the same settings")
    func json() throws {
        let text = "reduce: {params: 50%}\nrank: {a: 8x12}\nmax_error: 0.25\nfolders: {'a/*': {seed: 3}}\nhistory: 7d"
        let settings = try DaemonSettings(file: .parse(text, name: "a"))
        #expect(try DaemonSettings(file: .parse(settings.json, name: "b")) == settings)
        #expect(settings.json.contains("\"max_error\": 0.25"))
    }
}
