import Testing
import WatchFolder

@Suite("Paths of bytes")
struct BytePathTests {
    @Test(
        "name, parent and components of a path",
        arguments: [
            ("a", "", "a", 1), ("a/b.onnx", "a", "b.onnx", 2), ("/a", "/", "a", 1), ("/a/b/", "/a", "b", 2),
            ("", "", "", 0),
        ])
    func parts(_ text: String, _ parent: String, _ name: String, _ count: Int) {
        let path = BytePath(text)
        #expect(path.parent == BytePath(parent))
        #expect(path.name == BytePath(name))
        #expect(path.components.count == count)
    }

    @Test("a path is within a folder only at a component's border")
    func within() {
        #expect(("a/b" as BytePath).isWithin("a"))
        #expect(!("ab" as BytePath).isWithin("a"))
        #expect(("a" as BytePath).isWithin("a"))
        #expect(("a" as BytePath).isWithin(""))
    }

    @Test(
        "names that lead out of a folder are not plain",
        arguments: [
            "", "/etc/passwd", "..", "../x", "a/../../x", "a//b", "./a", "a\0b",
        ])
    func notPlain(_ text: String) {
        #expect(!BytePath(text).isPlainRelative, "\(text)")
    }

    @Test(
        "logs show one harmless line for any name",
        arguments: [
            (Array("a b-rf'\"é.onnx".utf8), "a b-rf'\"é.onnx"), (Array("a\nb".utf8), "a\\nb"),
            ([0x61, 0xFF, 0xC3], "a\\xff\\xc3"),
            (Array("\u{202E}x".utf8), "\\u{202e}x"), (Array("\u{1B}[31m".utf8), "\\u{001b}[31m"),
            (Array("a\\n".utf8), "a\\\\n"),
            ([0xC3, 0xA9, 0xF0, 0x9F], "é\\xf0\\x9f"),
        ])
    func escaping(_ bytes: [UInt8], _ expected: String) {
        #expect(BytePath(bytes).description == expected)
    }

    @Test("a record gives the same bytes back, whatever they are")
    func records() throws {
        let all = BytePath((1...255).map { UInt8($0) })
        #expect(try #require(BytePath(record: all.record)) == all)
        #expect(all.record.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
        #expect(BytePath(record: "a%4") == nil)
        #expect(BytePath(record: "a%zz") == nil)
    }
}
