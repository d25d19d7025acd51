/// Reads models of one format. Implemented by a plugin.
public protocol ModelImporter: Sendable {
    /// What the importer reads.
    static var format: FormatDescription { get }
    init()

    /// Reads the model at `path`. Weights are left on disk as regions of the open files.
    func importModel(at path: String, limits: ImportLimits) throws(ConversionError) -> Model

    /// Names of the files that the model at `path` needs beside it, relative to its folder, whether they are there or
    /// not. Opens none of them.
    func dataFiles(ofModelAt path: String, limits: ImportLimits) throws(ConversionError) -> [String]
}

extension ModelImporter {
    /// Formats of one file need none.
    public func dataFiles(ofModelAt path: String, limits: ImportLimits) throws(ConversionError) -> [String] { [] }
}

/// Writes models of one format. Implemented by a plugin.
public protocol ModelExporter: Sendable {
    static var format: FormatDescription { get }
    init()

    /// Writes `model` as `name` plus the format's extension into the existing folder `directory`, with any data files
    /// beside it. Creates files only, never replaces one. Returns the files, the model itself last, each written and
    /// synchronized to the disk.
    func exportModel(
        _ model: Model, to directory: String, name: String, options: ExportOptions
    ) throws(ConversionError) -> ExportedModel

    /// A command that checks a written model in a process of its own: the name of a helper program that is installed
    /// beside the plugin, and its arguments. Exit status 0: sound; 1: unsound, with the reason on standard output;
    /// 2: the checker does not know this version of the format. `nil` when the format has no checker.
    func checkCommand(for model: Model, file: String) -> CheckCommand?
}

extension ModelExporter {
    public func checkCommand(for model: Model, file: String) -> CheckCommand? { nil }
}

public struct FormatDescription: Sendable, Hashable {
    /// What the user writes after `--format`.
    public var name: String
    /// File name extensions without the dot, the preferred one first.
    public var fileExtensions: [String]
    public var summary: String

    public init(name: String, fileExtensions: [String], summary: String) {
        self.name = name
        self.fileExtensions = fileExtensions
        self.summary = summary
    }
}

public struct CheckCommand: Sendable, Hashable {
    public var program: String
    public var arguments: [String]

    public init(program: String, arguments: [String]) {
        self.program = program
        self.arguments = arguments
    }
}

/// The files of a written model.
public struct ExportedModel: Sendable, Hashable {
    /// Path of the model file.
    public var file: String
    /// Paths of its data files.
    public var dataFiles: [String]

    public init(file: String, dataFiles: [String]) {
        self.file = file
        self.dataFiles = dataFiles
    }
}

public struct ExportOptions: Sendable {
    /// Largest model file; beyond it weights go to a data file. ONNX: protobuf's own limit, 2 GiB − 1.
    public var largestFile: Int

    public init(largestFile: Int = Int(Int32.max)) { self.largestFile = largestFile }
}

/// Bounds on what an importer accepts, so that a hostile or broken file costs neither the memory nor the process.
public struct ImportLimits: Sendable {
    /// Bytes of the model file.
    public var fileBytes = 16 << 30
    /// Bytes of the model file less the tensor payloads, which stay on disk.
    public var skeletonBytes = 1 << 30
    public var messageDepth = 100
    public var graphDepth = 32
    public var nodes = 1_000_000
    public var initializers = 200_000
    public var attributesPerNode = 256
    public var nameBytes = 4096
    public var stringBytes = 16 << 20
    public var tensorRank = 32
    public var tensorElements = 1 << 40
    public var functions = 10_000
    public var callDepth = 64
    public var externalFiles = 64
    /// Accept external data files that have more than one hard link.
    public var allowsHardLinks = false

    public init() {}
}

/// An importer that also reads values for a model's inputs from folders of its format's own kind. Optional.
public protocol DataImporter: ModelImporter {
    /// The values of the model's inputs in one folder, by name. Throws `data.missing` when a file is not there.
    func inputs(inFolder path: String, of model: Model, limits: ImportLimits) throws(ConversionError) -> [String:
        Tensor]
}
