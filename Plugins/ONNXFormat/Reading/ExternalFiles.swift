internal import ConverterKit
internal import Glibc

/// The files beside a model that hold its external data; each is opened once, beneath the model's folder.
final class ExternalFiles {
    private let model: OpenFile
    private let limits: ImportLimits
    private let usesKernelWalk: Bool
    private var folder: BeneathFolder?
    private var files: [String: OpenFile] = [:]

    private static let keys: Set<String> = ["location", "offset", "length", "checksum", "basepath"]

    /// Notes the names of the files instead of opening them.
    let onlyNames: Bool
    private(set) var names: [String] = []

    init(model: OpenFile, limits: ImportLimits, usesKernelWalk: Bool = true, onlyNames: Bool = false) {
        self.model = model
        self.onlyNames = onlyNames
        self.limits = limits
        self.usesKernelWalk = usesKernelWalk
    }

    /// The data that `entries` refer to. Checks keys, numbers and range, and that the file is an ordinary one.
    func data(_ entries: [MetadataEntry], for tensor: Tensor) throws(ConversionError) -> ExternalData {
        var values: [String: String] = [:]
        for entry in entries {
            guard let key = entry.key, Self.keys.contains(key) else {
                throw InputFault.bad("external-data.unknown-key", "\(entry.key ?? "no key") is no key of external data")
            }
            guard values.updateValue(entry.value ?? "", forKey: key) == nil else {
                throw InputFault.bad("external-data.duplicate-key", "external data states \(key) twice")
            }
        }
        guard let location = values["location"] else {
            throw InputFault.bad("external-data.no-location", "external data names no file")
        }
        let offset = try Self.number(values["offset"], "offset")
        let length = try Self.number(values["length"], "length")
        try ExternalLocation.check(location, limits: limits)
        let file = try open(location)
        let start = offset ?? 0
        let available = file.size - start
        // Without a length the tensor's own size counts, as in the runtimes; the file may hold more tensors.
        let wanted = tensor.elementType.flatMap { type in tensor.elementCount.flatMap { type.byteCount(of: $0) } }
        let count = length ?? min(wanted ?? available, available)
        guard available >= 0, count <= available else {
            throw InputFault.bad(
                "external-data.out-of-range",
                "\(count) bytes at offset \(start) lie outside \(location), which has \(file.size) bytes",
                remedy: "Copy the data file again, or export the model again.")
        }
        return ExternalData(
            location: location, offset: offset, length: length, entries: entries,
            bytes: try ByteSource(file: file, offset: start, count: count))
    }

    /// Takes down the name of the file that `entries` refer to.
    func note(_ entries: [MetadataEntry]) throws(ConversionError) {
        guard let location = entries.first(where: { $0.key == "location" })?.value else { return }
        try ExternalLocation.check(location, limits: limits)
        guard !names.contains(location) else { return }
        guard names.count < limits.externalFiles else { throw Self.tooMany(limits) }
        names.append(location)
    }

    private static func tooMany(_ limits: ImportLimits) -> ConversionError {
        InputFault.limit(
            "external-data.too-many-files", "the model has more than \(limits.externalFiles) data files")
    }

    private static func number(_ text: String?, _ key: String) throws(ConversionError) -> Int? {
        guard let text else { return nil }
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text) else {
            throw InputFault.bad(
                "external-data.bad-number", "the \(key) \(text.debugDescription) of external data is no byte count")
        }
        return number
    }

    private func open(_ location: String) throws(ConversionError) -> OpenFile {
        if let file = files[location] { return file }
        guard files.count < limits.externalFiles else { throw Self.tooMany(limits) }
        let descriptor: Int32
        do throws(BeneathFolder.Failure) {
            descriptor = try openFolder().open(location, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        } catch {
            throw Self.openError(error, location)
        }
        let size = try size(descriptor, location)
        let file = OpenFile(
            adopting: descriptor, path: Self.folderPath(of: model.path) + location, size: size)
        files[location] = file
        return file
    }

    private func openFolder() throws(BeneathFolder.Failure) -> BeneathFolder {
        if let folder { return folder }
        let opened = try BeneathFolder(path: Self.folderPath(of: model.path), usesKernelWalk: usesKernelWalk)
        folder = opened
        return opened
    }

    /// The part of `path` before the last component, with its slash; "" for a file of the current folder.
    static func folderPath(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    }

    /// Checks what was opened, by its descriptor, and returns its size. Closes the descriptor when it throws.
    private func size(_ descriptor: Int32, _ location: String) throws(ConversionError) -> Int {
        var status = stat()
        var own = stat()
        let remedy = "Put a copy of the data file beside the model."
        let failure: (ConversionError.Code, String)?
        if unsafe fstat(descriptor, &status) != 0 || fstat(model.descriptor, &own) != 0 {
            failure = ("external-data.unreadable", "cannot be examined")
        } else if status.st_mode & S_IFMT != S_IFREG {
            failure = ("external-data.not-a-file", "is no regular file")
        } else if status.st_dev == own.st_dev && status.st_ino == own.st_ino {
            failure = ("external-data.is-model", "is the model file itself")
        } else if status.st_nlink != 1 && !limits.allowsHardLinks {
            failure = ("external-data.hard-link", "has \(status.st_nlink) hard links")
        } else {
            failure = nil
        }
        guard let failure else { return Int(status.st_size) }
        close(descriptor)
        throw InputFault.bad(failure.0, "the external data file \(location) \(failure.1)", remedy: remedy)
    }

    private static func openError(_ failure: BeneathFolder.Failure, _ location: String) -> ConversionError {
        let code: ConversionError.Code
        var kind = ConversionError.Kind.badInput
        switch failure.number {
        case ELOOP: code = "external-data.symbolic-link"
        case EXDEV: code = "external-data.escapes-directory"
        case ENAMETOOLONG: code = "external-data.name-too-long"
        case ENOENT, ENOTDIR: (code, kind) = ("external-data.missing", .missingInput)
        case EACCES: (code, kind) = ("external-data.permission-denied", .missingInput)
        case ENXIO: code = "external-data.not-a-file"
        default: (code, kind) = ("external-data.unreadable", .inputOutput)
        }
        return ConversionError(
            code, kind, "cannot open the external data file \(location)",
            remedy: "Put the data file, not a link to it, where the model says: beside the model.",
            cause: failure.description)
    }
}
