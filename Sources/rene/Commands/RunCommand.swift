internal import ArgumentParser
internal import Conversion

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a model on data and write its outputs as a .npz.",
        discussion: """
            The arrays have the names of the model's outputs. Data go in by batches; where the first extents of the \
            inputs differ, they go in as they are, in one run.
            """)

    @Argument(help: "The model file, or sample:cnn or sample:vit.")
    var model: String

    @Option(
        help: ArgumentHelp(
            "Data: .npz, .npy, or a folder of test_data_set_*. Repeatable.", valueName: "file"))
    var data: [String]

    @Option(name: [.short, .long], help: ArgumentHelp("The .npz to write.", valueName: "file"))
    var output: String

    @Flag(help: "Replace an existing file.")
    var overwrite = false

    @OptionGroup var options: RunningOptions
    @OptionGroup var plugins: PluginOptions

    func validate() throws {
        if data.isEmpty { throw ValidationError("--data is missing.") }
    }

    func run() async throws {
        let line = ProgressLine(quiet: options.quiet)
        defer { line.finish() }
        let run = try ModelRun(
            of: Samples.resolve(model), data: data.map { try Samples.resolve($0) }, output: output,
            overwrite: overwrite, plugins: plugins.load(), options: options.runOptions
        ) { line.update($0) }
        line.finish()
        Terminal.print(options.json ? try ReportEncoder.json(run) : Array((run.text + "\n").utf8))
    }
}
