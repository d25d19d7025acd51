internal import ConverterKit
public import PluginHost

/// What a worker process is asked to do with one file. The process that asks never reads the file.
public struct ModelJob: Codable, Sendable, Hashable {
    public enum Purpose: String, Codable, Sendable, Hashable {
        case convert
        /// Name the files that the model needs beside it.
        case inspect
        /// Name the extensions of the formats that can be read.
        case formats
    }

    public var purpose: Purpose
    public var conversion: ConversionSettings
    /// Settings that came with the model; an absolute path.
    public var sidecar: String?
    /// Data that came with the model, used where the settings name none; an absolute path.
    public var data: String?
    /// Factorizes what this program has written, too.
    public var isForced: Bool
    /// What the report calls the files.
    public var shown: Converter.ShownPaths?
    /// Results of the same conversion that may be copied, the first that is whole.
    public var known: [KnownResult]

    public init(
        _ purpose: Purpose, conversion: ConversionSettings = .init(), sidecar: String? = nil, data: String? = nil,
        isForced: Bool = false,
        shown: Converter.ShownPaths? = nil, known: [KnownResult] = []
    ) {
        self.known = known
        self.shown = shown
        self.purpose = purpose
        self.conversion = conversion
        self.sidecar = sidecar
        self.data = data
        self.isForced = isForced
    }
}

/// What a worker process answers.
public struct ModelJobResult: Codable, Sendable, Hashable {
    public struct File: Codable, Sendable, Hashable {
        /// In the output folder.
        public var name: String
        /// Hexadecimal.
        public var sha256: String
        public var bytes: Int
    }

    /// The written files in the order in which they are to be published: reports, which say whose the other files
    /// are, then data files, the model last, so that whoever sees the model finds all that belongs to it.
    public var files: [File] = []
    public var report: ReportSummary?
    /// The model was written by this program and is passed on as it was.
    public var isOwnOutput = false
    /// The published model that this one is a copy of.
    public var copyOf: String?
    /// Names of data files, relative to the model's folder.
    public var dataFiles: [String] = []
    /// Without dots.
    public var extensions: [String] = []
    public var seconds = 0.0

    public init() {}
}

/// A report's headline.
public struct ReportSummary: Codable, Sendable, Hashable {
    public var parametersBefore: Int
    public var parametersAfter: Int
    public var macsBefore: Int
    public var macsAfter: Int
    public var bytesBefore: Int
    public var bytesAfter: Int

    init?(_ report: Report) {
        guard let result = report.result else { return nil }
        parametersBefore = report.source.parameters
        parametersAfter = result.parameters
        macsBefore = report.source.macs
        macsAfter = result.macs
        bytesBefore = report.source.bytes
        bytesAfter = result.bytes
    }
}

extension Report {
    /// The headline; `nil` for a plan.
    package var summary: ReportSummary? { ReportSummary(self) }
}

/// Does the jobs of worker processes.
public struct ModelJobs: Sendable {
    private let plugins: @Sendable () -> PluginRegistry

    /// - Parameter plugins: loads them; called in the worker when it has limited itself.
    public init(loading plugins: @escaping @Sendable () -> PluginRegistry) { self.plugins = plugins }

    /// Does `job` with the model at `source`; a conversion writes into the folder `output`.
    public func run(
        _ job: ModelJob, source: String, output: String, progress: @escaping ProgressHandler
    ) async throws -> ModelJobResult {
        let plugins = plugins()
        var result = ModelJobResult()
        switch job.purpose {
        case .formats:
            result.extensions = plugins.plugins.flatMap { $0.importers.flatMap { $0.format.fileExtensions } }
        case .inspect:
            result.dataFiles = try plugins.importer(for: source).dataFiles(ofModelAt: source, limits: ImportLimits())
        case .convert:
            let clock = JobClock(timeLimit: nil)
            result = try await convert(job, source: source, output: output, plugins: plugins, progress: progress)
            result.seconds = clock.seconds
        }
        return result
    }

    private func convert(
        _ job: ModelJob, source: String, output: String, plugins: PluginRegistry, progress: @escaping ProgressHandler
    ) async throws -> ModelJobResult {
        var result = ModelJobResult()
        let converter = Converter(plugins: plugins, settings: job.conversion, progress: progress)
        let published: Converter.PublishedModel
        if let copied = try job.known.lazy.compactMap({ try $0.copy(for: source, to: output, shown: job.shown) }).first
        {
            result.report = copied.report.summary
            result.copyOf = copied.report.copyOf
            published = copied.published
        } else if try !job.isForced && isOwnOutput(source, plugins: plugins, progress: progress) {
            result.isOwnOutput = true
            published = try converter.copy(source, to: output)
        } else {
            let outcome = try await converter.convert(source, to: output, shown: job.shown)
            result.report = ReportSummary(outcome.report)
            published = outcome.published
        }
        result.files = try (published.reports + published.dataFiles + [published.model]).map { path in
            .init(
                name: FileName.last(of: path), sha256: try SHA256.digest(ofFile: path),
                bytes: try OpenFile(path: path).size)
        }
        return result
    }

    /// Whether the model carries the marks of `Provenance`.
    private func isOwnOutput(_ path: String, plugins: PluginRegistry, progress: ProgressHandler) throws -> Bool {
        progress(Progress(stage: .reading, fraction: 0))
        let model = try plugins.importer(for: path).importModel(at: path, limits: ImportLimits())
        return model.metadata.contains { $0.key == Provenance.versionKey }
    }
}
