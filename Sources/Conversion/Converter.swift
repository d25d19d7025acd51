public import ConverterKit
internal import Decompositions
internal import LayerMapping
public import PluginHost

/// The job: import, map, analyse, search, factorize, export, verify, publish, report.
///
/// Nothing has a final name before it was written, read back and checked; whatever fails leaves the output folder as it
/// was.
public struct Converter: Sendable {
    private let plugins: PluginRegistry
    private let settings: ConversionSettings
    private let progress: ProgressHandler
    private let limits: ImportLimits

    public init(
        plugins: PluginRegistry, settings: ConversionSettings, limits: ImportLimits = ImportLimits(),
        progress: @escaping ProgressHandler
    ) {
        self.plugins = plugins
        self.settings = settings
        self.limits = limits
        self.progress = progress
    }

    /// Where source and result are for people while a job has them in folders of its own.
    public struct ShownPaths: Codable, Sendable, Hashable {
        public var source: String
        /// The folder of the result.
        public var folder: String

        public init(source: String, folder: String) {
            self.source = source
            self.folder = folder
        }
    }

    /// What a conversion made.
    public struct Outcome: Sendable {
        public var report: Report
        public var published: PublishedModel
    }

    /// Final paths of what was written.
    public struct PublishedModel: Sendable, Hashable {
        public var model: String
        public var dataFiles: [String]
        public var reports: [String]
    }

    /// The report of what `convert` would do; writes nothing.
    public func plan(_ path: String) throws -> Report {
        let clock = JobClock(timeLimit: settings.timeLimit)
        let (model, source) = try read(path)
        let decision = RankDecision(
            settings: settings, importer: try plugins.importer(for: path), deadline: clock.deadline, progress: progress)
        let writer = ReportWriter(plugins: plugins, settings: settings, clock: clock)
        return try writer.report(
            plan: decision.plan(model, sourceBytes: source.bytes), source: source, sourceModel: model, result: nil,
            verification: nil, data: nil)
    }

    /// Reads the model and writes it again, unchanged.
    public func copy(_ path: String, to directory: String) throws -> PublishedModel {
        let (model, _) = try read(path)
        let staging = try Staging(in: directory)
        let exporter = try plugins.exporter(named: settings.format)
        let name = FileName.stem(of: path)
        let written = try exporter.exportModel(model, to: staging.path, name: name, options: ExportOptions())
        let publisher = Publisher(directory: directory, replacing: settings.overwrite)
        let published = try publisher.publish(written.dataFiles + [written.file])
        return PublishedModel(model: published.last ?? "", dataFiles: published.dropLast(), reports: [])
    }

    /// Converts the model at `path` into `directory`.
    ///
    /// - Parameter shown: the names of source and result in the report, where the files lie elsewhere for the time being.
    public func convert(_ path: String, to directory: String, shown: ShownPaths? = nil) async throws -> Outcome {
        let clock = JobClock(timeLimit: settings.timeLimit)
        let (model, file) = try read(path)
        var source = file
        let exporter = try plugins.exporter(named: settings.format)
        let name = FileName.stem(of: path)
        let publisher = Publisher(directory: directory, replacing: settings.overwrite)
        if let shown { source.path = shown.source }
        let reportNames = ["\(name).report.json", "\(name).report.html"]
        try publisher.checkFree(["\(name).\(type(of: exporter).format.fileExtensions[0])"] + reportNames)

        var stagingMade: Staging?
        let decision = RankDecision(
            settings: settings, importer: try plugins.importer(for: path), deadline: clock.deadline, progress: progress)
        let decided = try decision.decide(model, sourceBytes: source.bytes) {
            let staging = try stagingMade ?? Staging(in: directory)
            stagingMade = staging
            return try ScratchFile(in: staging.path)
        }
        let staging = try stagingMade ?? Staging(in: directory)
        var factorized = decided.factorized
        let tuned = try FineTuningStage(
            settings: settings, plugins: plugins, limits: limits, deadline: clock.deadline, progress: progress,
            checkpoint: "\(directory)/.\(name).rene-checkpoint"
        ).run(on: factorized, original: model)
        if let tuned { factorized.model = tuned.model }
        let changed = !factorized.plan.changed.isEmpty
        var output = factorized.model
        if changed {
            let before = factorized.plan.costBefore
            let after = factorized.plan.costAfter
            Provenance(
                sourceDigest: source.digest, settingsDigest: try settings.digest(),
                before: (before.parameters, before.macs), after: (after.parameters, after.macs)
            ).record(in: &output)
        }

        progress(Progress(stage: .writing, fraction: 0))
        let written = try write(output, name: name, to: staging, by: exporter, isChanged: changed)
        progress(Progress(stage: .verifying, fraction: 0))
        // The checker is a process of its own: it reads the file while this one does.
        let outputCheck = exporter.checkCommand(for: output, file: written.file)
        let sourceCheck =
            model.format == type(of: exporter).format.name ? exporter.checkCommand(for: model, file: path) : nil
        async let verdict = OutputChecker(folders: plugins.helperFolders).check(outputCheck, source: sourceCheck)
        let verifier = try Verifier(importer: plugins.importer(for: written.file), limits: limits)
        let readBack = Result { try verifier.verify(written.file, against: output) }
        let digest = try SHA256.digest(ofFile: written.file)
        // What the checker says comes first: a source that was unsound before is the plainest reason.
        let check = try await verdict
        var facts = VerificationFacts(
            checker: check.rawValue, readBack: true, executed: false,
            largestRelativeWeightError: factorized.errors.values.max() ?? 0, bound: decided.bound)
        try facts.execute(readBack.get(), decided)
        let verification = Verification(facts: facts, errors: factorized.errors)
        let result = SourceFile(
            path: (shown?.folder ?? directory) + "/" + FileName.last(of: written.file), digest: digest,
            bytes: try FileName.sizes(of: [written.file] + written.dataFiles))

        progress(Progress(stage: .publishing, fraction: 0))
        let report = try ReportWriter(plugins: plugins, settings: settings, clock: clock).report(
            plan: factorized.plan, source: source, sourceModel: model, result: result, verification: verification,
            data: decided.meter, fineTuning: tuned?.facts)
        try Publisher.write(report.json(), to: "\(staging.path)/\(reportNames[0])")
        try Publisher.write(HTMLReport(report).bytes, to: "\(staging.path)/\(reportNames[1])")
        let files = written.dataFiles + [written.file] + reportNames.map { "\(staging.path)/\($0)" }
        let published = try publisher.publish(files)
        tuned?.removeCheckpoint()
        let dataCount = written.dataFiles.count
        return Outcome(
            report: report,
            published: PublishedModel(
                model: published[dataCount], dataFiles: Array(published[..<dataCount]),
                reports: Array(published[(dataCount + 1)...])))
    }

    /// Writes the model into the staging folder. One that did not change is passed on byte for byte where it is one file
    /// of the output's format.
    private func write(
        _ model: Model, name: String, to staging: Staging, by exporter: any ModelExporter, isChanged: Bool
    ) throws -> ExportedModel {
        let format = type(of: exporter).format
        if !isChanged, model.format == format.name, ModelFiles.externalBytes(of: model) == 0 {
            let target = "\(staging.path)/\(name).\(format.fileExtensions[0])"
            try FileCopy.copy(model.path, to: target)
            return ExportedModel(file: target, dataFiles: [])
        }
        return try exporter.exportModel(model, to: staging.path, name: name, options: ExportOptions())
    }

    private func read(_ path: String) throws -> (Model, SourceFile) {
        progress(Progress(stage: .reading, fraction: 0))
        let model = try plugins.importer(for: path).importModel(at: path, limits: limits)
        let source = SourceFile(
            path: path, digest: try SHA256.digest(ofFile: path),
            bytes: try OpenFile(path: path).size + ModelFiles.externalBytes(of: model))
        return (model, source)
    }
}

/// A model file as it lies on the disk.
struct SourceFile: Sendable {
    var path: String
    var digest: String
    /// With its data files.
    var bytes: Int
}

extension PluginRegistry {
    /// Where helper programs of plugins are.
    var helperFolders: [String] { plugins.map(\.folder) + folders }
}
