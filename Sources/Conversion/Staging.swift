internal import ConverterKit
internal import Glibc

/// A private folder inside the output folder in which a conversion writes, so that nothing half-written ever has a final
/// name and publishing is a rename on one file system. Removed with all it holds when the conversion ends.
final class Staging: Sendable {
    let path: String

    init(in directory: String) throws(ConversionError) {
        try Self.makeDirectories(directory)
        var template = Array((directory + "/.rene-XXXXXX").utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw OutputFailure.error(errno, path: directory, folder: true) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        if let stream = unsafe opendir(path) {
            while let entry = unsafe readdir(stream) {
                let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != ".." { unsafe unlink(path + "/" + name) }
            }
            unsafe closedir(stream)
        }
        unsafe rmdir(path)
    }

    /// Makes `directory` and its missing parents.
    private static func makeDirectories(_ directory: String) throws(ConversionError) {
        var path = directory.hasPrefix("/") ? "" : "."
        for part in directory.split(separator: "/") {
            path += "/" + part
            if unsafe mkdir(path, 0o777) != 0, errno != EEXIST {
                throw OutputFailure.error(errno, path: path, folder: true)
            }
        }
        var status = stat()
        guard unsafe stat(directory, &status) == 0 else {
            throw OutputFailure.error(errno, path: directory, folder: true)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw OutputFailure.error(ENOTDIR, path: directory, folder: true)
        }
    }
}
