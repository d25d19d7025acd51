import ConverterKit
import Settings
import TestSupport
import Testing

@Suite("Hostile settings")
struct HostileFileTests {
    @Test("a file of more than a mebibyte is refused before it is parsed")
    func size() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("rene.yaml", Array("# ".utf8) + Array(repeating: 0x61, count: 1 << 20))
        #expect(SettingsCheck.problems(path: path).map(\.code) == ["settings.too-large"])
        #expect(settingsError("# " + String(repeating: "a", count: 1 << 20))?.code == "settings.too-large")
        #expect(settingsError("# " + String(repeating: "a", count: (1 << 20) - 2)) == nil)
    }

    @Test("a bomb of aliases is refused at once", .timeLimit(.minutes(1)))
    func aliases() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = [String](repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(settingsError(text)?.code == "settings.too-many-aliases")
        #expect(settingsError(text.replacing(" *", with: "\u{85}*"))?.code == "settings.too-many-aliases")
        let inKeys = text + "? *a9\n: 1\n"
        #expect(settingsError(inKeys)?.code == "settings.too-many-aliases")
    }

    @Test("a few aliases of a long list are stopped by the number of values", .timeLimit(.minutes(1)))
    func longAliases() {
        let list = [String](repeating: "x", count: 30_000).joined(separator: ",")
        #expect(settingsError("include: &a [\(list)]\nexclude: *a\nrank: [*a, *a]")?.code == "settings.too-complex")
        // The largest expansion that passes the count of aliases, as a key, which the YAML library hashes.
        var text = "a: &a0 [\(list)]\n"
        for level in 1...5 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1), *a\(level - 1)]\n" }
        #expect(settingsError(text + "? *a5\n: 1\n")?.code == "settings.too-complex")
        #expect(settingsError(text + String(repeating: "#\n", count: 10_000))?.code == "settings.too-many-aliases")
        #expect(settingsError("include: &a [x, y]\nexclude: *a") == nil)
    }

    @Test(
        "deep nesting is an error and not a crash", .timeLimit(.minutes(1)),
        arguments: [13, 100, 999, 1001, 50_000, 500_000])
    func nesting(depth: Int) {
        let flow = settingsError(
            "include: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
        #expect(flow?.code == "settings.too-complex" || flow?.code == "settings.syntax", "\(depth): \(flow as Any)")
        let block = settingsError(String(repeating: "- ", count: depth) + "x")
        #expect(block != nil, "\(depth)")
        let open = settingsError(String(repeating: "{", count: depth))
        #expect(open?.code == "settings.syntax", "\(depth): \(open as Any)")
    }

    @Test("each prefix of a good file, and each with a byte changed, gives settings or an error of ours")
    func mutations() throws {
        let text =
            "reduce: [params=50%]\nrank: {a: 8x12, \"b\": [1, 2]}\n"
            + "folders:\n  'v/*': {seed: 3, include: &x [a]}\nexclude: *x\n"
        let bytes = Array(text.utf8)
        let folder = try TemporaryFolder()
        var accepted = 0
        var refused = 0
        for index in bytes.indices {
            for (kind, variant) in [
                ("prefix", Array(bytes[..<index])),
                ("flipped", bytes.enumerated().map { $0 == index ? $1 ^ 0x20 : $1 }),
                ("zero", bytes.enumerated().map { $0 == index ? 0 : $1 }),
                ("colon", bytes.enumerated().map { $0 == index ? 0x3a : $1 }),
            ] {
                let path = try folder.write("rene.yaml", variant)
                let problems = SettingsCheck.problems(path: path)
                if problems.isEmpty { accepted += 1 } else { refused += 1 }
                for problem in problems {
                    #expect(SettingsProblem.codes.contains(problem.code), "\(kind) at \(index): \(problem)")
                    #expect(!problem.remedy.isEmpty, "\(kind) at \(index): \(problem)")
                }
            }
        }
        #expect(accepted > 20, "\(accepted) accepted, \(refused) refused")
        #expect(refused > 200, "\(accepted) accepted, \(refused) refused")
    }

    @Test("a sidecar that is a link is refused; the daemon's own file may be one")
    func links() throws {
        let folder = try TemporaryFolder()
        try folder.write("real.yaml", Array("seed: 3".utf8))
        #expect(Shell.run("ln -s real.yaml '\(folder.path)/link.yaml'").status == 0)
        let path = folder.path + "/link.yaml"
        #expect(SettingsCheck.problems(path: path, role: .sidecar).map(\.code) == ["settings.unreadable"])
        #expect(SettingsCheck.problems(path: path).isEmpty)
    }
}
