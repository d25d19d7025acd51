internal import CONNX
internal import ConverterKit
internal import Glibc

/// The folder that a model is written into. Remembers what it created, to take it away again when a later step fails.
final class OutputFolder {
    private let path: String
    private let folder: BeneathFolder
    private var files: [String] = []
    private var folders: [String] = []

    init(path: String) throws(ConversionError) {
        self.path = path.hasSuffix("/") || path.isEmpty ? path : path + "/"
        do throws(BeneathFolder.Failure) {
            folder = try BeneathFolder(path: path)
        } catch {
            throw OutputFault.system(error.number, path)
        }
    }

    func path(of name: String) -> String { path + name }

    /// Creates the file `name` with what `write` puts into it, complete and synchronized.
    func create(
        _ name: String, _ write: (OutputFile) throws(ConversionError) -> Void
    ) throws(ConversionError) {
        let descriptor: Int32
        do throws(BeneathFolder.Failure) {
            folders += try folder.makeFolders(for: name)
            descriptor = try folder.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        } catch {
            throw OutputFault.system(error.number, path(of: name))
        }
        files.append(name)
        let file = OutputFile(adopting: descriptor, path: path(of: name))
        try write(file)
        try file.finish(mode: 0o644 & ~Self.mask)
    }

    /// Makes the new names durable.
    func synchronize() throws(ConversionError) {
        for name in Set(files.map { ExternalFiles.folderPath(of: $0) }) {
            do throws(BeneathFolder.Failure) {
                let descriptor = try folder.open(name.isEmpty ? "." : name, O_RDONLY | O_DIRECTORY)
                defer { close(descriptor) }
                // Some file systems cannot synchronize a folder; there is nothing more to be done on those.
                if fsync(descriptor) != 0, errno != EINVAL { throw BeneathFolder.Failure(number: errno) }
            } catch {
                throw OutputFault.system(error.number, path(of: name))
            }
        }
    }

    /// Removes every file and folder that was created here.
    func removeCreated() {
        for (names, flags) in [(files, Int32(0)), (folders.reversed(), AT_REMOVEDIR)] {
            for name in names {
                let parent = ExternalFiles.folderPath(of: name)
                guard let inside = try? folder.open(parent.isEmpty ? "." : parent, rene_open_as_path | O_DIRECTORY)
                else { continue }
                _ = unsafe unlinkat(inside, String(name.dropFirst(parent.count)), flags)
                close(inside)
            }
        }
        (files, folders) = ([], [])
    }

    /// The process's file mode mask, read without setting it: setting it for a moment would race with other threads.
    private static var mask: mode_t {
        guard let status = try? OpenFile(path: "/proc/self/status") else { return 0o022 }
        var text = [UInt8](repeating: 0, count: 8192)
        let count = unsafe text.withUnsafeMutableBytes { unsafe pread(status.descriptor, $0.baseAddress, $0.count, 0) }
        let lines = text.prefix(max(0, count)).split(separator: UInt8(ascii: "\n"))
        let prefix = Array("Umask:".utf8)
        guard let line = lines.first(where: { $0.starts(with: prefix) }) else { return 0o022 }
        let digits = line.dropFirst(prefix.count).filter { (48...55).contains($0) }
        return mode_t(String(decoding: digits, as: UTF8.self), radix: 8) ?? 0o022
    }
}
