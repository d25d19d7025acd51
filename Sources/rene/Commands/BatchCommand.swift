internal import ArgumentParser
internal import Conversion
internal import ConverterKit
internal import Daemon

struct BatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batch", abstract: "Convert every model of a folder.",
        discussion: """
            The results lie in OUTPUT as the models do in SOURCE, with OUTPUT/summary.csv. A model that fails does not \
            stop the others. Run again, it passes over what is done: outputs of the same source and settings. SIGTERM \
            and SIGINT end it with whole results only, and status 75.
            """)

    @Argument(help: "The folder of the models; its sub-folders are searched too.")
    var source: String

    @Argument(help: "The folder to write to; made if missing.")
    var output: String

    @Option(help: "Conversions at a time. Default: as many as cores and memory allow.")
    var jobs: Int?

    @Option(
        help: ArgumentHelp("Take only this share of the models, for one of several machines: 1/16.", valueName: "i/n"),
        transform: { text in
            guard let shard = Shard(parsing: text) else {
                throw ValidationError("'\(text)' is not of the form I/N with I from 1 to N.")
            }
            return shard
        })
    var shard = Shard.all

    @Flag(help: "Replace outputs of other sources or settings.")
    var overwrite = false

    @Flag(name: [.short, .long], help: "No narration on standard error.")
    var quiet = false

    @OptionGroup var options: ConversionOptions
    @OptionGroup var plugins: PluginOptions

    func validate() throws {
        if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1.") }
    }

    func run() async throws {
        var settings = options.settings
        settings.overwrite = overwrite
        let quiet = quiet
        let batch = Batch(
            BatchOptions(
                source: source, output: output, conversion: settings, threads: options.threads, jobs: jobs,
                shard: shard, workerArguments: plugins.pluginPath.flatMap { ["--plugin-path", $0] })
        ) { entry in
            if let error = entry.error {
                Terminal.narrate("\(entry.path): \(error.message) [\(error.code)]\n  remedy: \(error.remedy)")
            } else if !quiet {
                Terminal.narrate("\(entry.path): \(entry.status.rawValue)")
            }
        }
        let entries = try await batch.runUntilSignal()
        if !quiet { Terminal.narrate(BatchSummary.table(entries)) }
        if entries.contains(where: { $0.status == .failed }) {
            throw ExitCode(ConversionError.Kind.badInput.exitStatus)
        }
    }
}
