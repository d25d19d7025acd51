internal import ConverterKit
internal import Glibc

/// A failed call of the system on the side of the output, as an error.
enum OutputFailure {
    /// - Parameters:
    ///   - number: the value of `errno` after the call.
    ///   - path: the file or folder that was to be written.
    ///   - folder: whether it is the output folder itself.
    static func error(_ number: Int32, path: String, folder: Bool = false) -> ConversionError {
        let cause = unsafe String(cString: strerror(number))
        switch number {
        case ENOSPC, EDQUOT:
            return ConversionError(
                "output.no-space", .temporary, "there is no room for \(path)", remedy: "Free some space on its disk.",
                site: .init(file: path), cause: cause)
        case EEXIST where !folder:
            return ConversionError(
                "output.exists", .cannotCreateOutput, "\(path) exists already",
                remedy: "Choose another --output, or replace it with --overwrite.", site: .init(file: path))
        default:
            return ConversionError(
                folder ? "output.folder" : "output.cannot-write", .cannotCreateOutput,
                folder ? "the output folder \(path) cannot be made or written to" : "cannot write \(path)",
                remedy: "Check the path, its permissions and the space on its disk.", site: .init(file: path),
                cause: cause)
        }
    }
}
