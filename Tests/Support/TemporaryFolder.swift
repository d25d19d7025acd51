internal import ConverterKit
internal import Glibc

/// A folder for one test, removed with it.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init() throws {
        var template = Array("/tmp/rene-test-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw Failure(what: "mkdtemp", number: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        _ = Shell.run("rm -rf '\(path)'")
    }

    public struct Failure: Error {
        public var what: String
        public var number: Int32
    }

    @discardableResult
    public func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let full = path + "/" + name
        guard let stream = unsafe fopen(full, "we") else { throw Failure(what: "fopen \(full)", number: errno) }
        defer { unsafe fclose(stream) }
        guard unsafe fwrite(bytes, 1, bytes.count, stream) == bytes.count else {
            throw Failure(what: "fwrite", number: errno)
        }
        return full
    }

    public func read(_ name: String) throws -> [UInt8] {
        let file = try OpenFile(path: path + "/" + name)
        return try ByteSource(file: file, offset: 0, count: file.size).bytes()
    }

    /// Names of the entries, sorted.
    public var entries: [String] {
        guard let stream = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

/// Where the build puts the test binary and, beside it, the program and the plugin libraries.
public enum BuildFolder {
    public static let path: String = {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let executable = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // Test bundles are run by a helper of the toolchain or as the bundle itself, depending on the test library.
        let candidates = [executable] + CommandLine.arguments
        for candidate in candidates where candidate.contains(".build") {
            return String(candidate[..<(candidate.lastIndex(of: "/") ?? candidate.startIndex)])
        }
        return "."
    }()
}
