import ConverterKit
import Glibc
import TestSupport
import Testing

@Suite("Open files and byte sources")
struct FileTests {
    @Test("a region of a file reads as its bytes")
    func region() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("data", Array(0..<100))
        let source = try ByteSource(file: OpenFile(path: path), offset: 10, count: 5)
        #expect(try source.bytes() == [10, 11, 12, 13, 14])
    }

    @Test("a region outside the file is an error", arguments: [(90, 11), (-1, 2), (Int.max, 2), (0, -1)])
    func outside(offset: Int, count: Int) throws {
        let folder = try TemporaryFolder()
        let file = try OpenFile(path: folder.write("data", Array(0..<100)))
        let error = #expect(throws: ConversionError.self) {
            _ = try ByteSource(file: file, offset: offset, count: count)
        }
        #expect(error?.code == "input.truncated")
    }

    @Test("a file that is cut short while it is open gives an error and not a signal")
    func truncated() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("data", Array(0..<100))
        let source = try ByteSource(file: OpenFile(path: path), offset: 0, count: 100)
        #expect(unsafe truncate(path, 50) == 0)
        let error = #expect(throws: ConversionError.self) { _ = try source.bytes() }
        #expect(error?.code == "input.truncated")
    }

    @Test("a FIFO is refused at once and a folder too; a missing file says so")
    func notFiles() throws {
        let folder = try TemporaryFolder()
        #expect(unsafe mkfifo(folder.path + "/fifo", 0o600) == 0)
        for (name, code) in [("/fifo", "input.not-a-file"), ("", "input.not-a-file"), ("/none", "input.missing")] {
            let error = #expect(throws: ConversionError.self) { _ = try OpenFile(path: folder.path + name) }
            #expect(error?.code.name == code, "\(name)")
        }
    }

    @Test("an error code matches its family and not a longer word")
    func families() {
        let code: ConversionError.Code = "onnx.external-data.missing"
        #expect("onnx.external-data" ~= code)
        #expect("onnx" ~= code)
        #expect(!("onnx.external" ~= code))
    }
}
