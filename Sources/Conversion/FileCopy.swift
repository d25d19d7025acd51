package import ConverterKit
internal import Glibc

/// Copies a file byte for byte, inside the kernel where the file system can.
package enum FileCopy {
    package static func copy(_ source: String, to target: String) throws(ConversionError) {
        let input = try OpenFile(path: source)
        let output = unsafe open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard output >= 0 else { throw OutputFailure.error(errno, path: target) }
        defer { close(output) }
        var offset: off_t = 0
        while offset < input.size {
            let count = unsafe sendfile(output, input.descriptor, &offset, input.size - Int(offset))
            if count < 0, errno != EINTR { throw OutputFailure.error(errno, path: target) }
            if count == 0 {
                throw ConversionError(
                    "input.truncated", .badInput, "\(source) became shorter while it was copied",
                    remedy: "Copy the file again.", site: .init(file: source, offset: Int(offset)))
            }
        }
        guard fsync(output) == 0 else { throw OutputFailure.error(errno, path: target) }
    }
}
