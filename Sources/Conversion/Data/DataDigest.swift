internal import ConverterKit

/// What makes two files or folders of data the same.
enum DataDigest {
    /// SHA-256 of a file, or over the digests and names of a folder's files; hexadecimal.
    static func of(_ path: String) throws -> String {
        guard DataSetFolder.isFolder(path) else {
            do throws(ConversionError) {
                _ = try OpenFile(path: path)
            } catch {
                throw error.code == "input.missing" ? DataError.missing("there is no \(path)") : error
            }
            return try SHA256.digest(ofFile: path)
        }
        let files = try DataSetFolder(path).files.map { "\(try SHA256.digest(ofFile: "\(path)/\($0)")) \($0)\n" }
        return try SHA256.digest(of: Array(files.joined().utf8))
    }
}
