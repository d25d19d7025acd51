internal import CZip
internal import ConverterKit
internal import Glibc

/// The files in a ZIP archive, by libzip. Bounds keep a hostile archive from filling the memory.
@safe struct ZipArchive: ~Copyable {
    struct Entry {
        var index: UInt
        var name: String
        var byteCount: Int
    }

    private let archive: OpaquePointer
    private let path: String
    let entries: [Entry]

    private static let mostEntries = 4096
    private static let mostBytes = 64 << 30
    /// No file that DEFLATE has packed becomes more times its size.
    private static let largestRatio = 1100

    init(_ file: OpenFile) throws(ConversionError) {
        path = file.path
        let descriptor = fcntl(file.descriptor, F_DUPFD_CLOEXEC, 0)
        var code: Int32 = 0
        guard descriptor >= 0, let archive = unsafe zip_fdopen(descriptor, 0, &code) else {
            if descriptor >= 0 { close(descriptor) }
            throw DataError.format("\(file.path) is no ZIP archive", cause: "libzip says \(code)")
                .at(.init(file: file.path))
        }
        do throws(ConversionError) {
            entries = try unsafe Self.list(archive, path: file.path)
        } catch {
            unsafe zip_discard(archive)
            throw error
        }
        unsafe self.archive = archive
    }

    deinit { unsafe zip_discard(archive) }

    private static func list(_ archive: OpaquePointer, path: String) throws(ConversionError) -> [Entry] {
        let count = unsafe zip_get_num_entries(archive, 0)
        guard count >= 0, count <= mostEntries else {
            throw DataError.format("the archive has \(count) entries").at(.init(file: path))
        }
        var entries: [Entry] = []
        var total = 0
        for index in 0..<UInt(count) {
            var status = unsafe zip_stat_t()
            let needed = UInt(RENE_ZIP_STAT_NAME | RENE_ZIP_STAT_SIZE | RENE_ZIP_STAT_COMP_SIZE)
            guard unsafe zip_stat_index(archive, index, 0, &status) == 0, unsafe status.valid & needed == needed,
                let name = unsafe status.name, let size = unsafe Int(exactly: status.size),
                let packed = unsafe Int(exactly: status.comp_size)
            else { throw DataError.format("the archive's directory is damaged").at(.init(file: path)) }
            guard size <= mostBytes, total <= mostBytes, size / largestRatio <= packed else {
                throw DataError.format("unpacked the archive would be too large").at(.init(file: path))
            }
            total += size
            entries.append(Entry(index: index, name: unsafe String(cString: name), byteCount: size))
        }
        return entries
    }

    /// The content of a file, unpacked.
    func bytes(of entry: Entry) throws(ConversionError) -> [UInt8] {
        let damaged = DataError.format("\(entry.name) in \(path) cannot be unpacked").at(.init(file: path))
        guard let file = unsafe zip_fopen_index(archive, entry.index, 0) else { throw damaged }
        defer { _ = unsafe zip_fclose(file) }
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: entry.byteCount) { buffer, count in
            while count < entry.byteCount {
                let more = unsafe zip_fread(
                    file, buffer.baseAddress?.advanced(by: count), UInt(entry.byteCount - count))
                if more <= 0 { break }
                count += more
            }
        }
        // Only a read at the end of the file compares the checksum.
        var rest: UInt8 = 0
        guard bytes.count == entry.byteCount, unsafe zip_fread(file, &rest, 1) == 0 else { throw damaged }
        return bytes
    }
}
