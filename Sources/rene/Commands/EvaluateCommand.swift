internal import ArgumentParser
internal import Conversion

struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measure a classifier on labelled data: loss, top-1, images a second.")

    @Argument(help: "The model file, or sample:cnn or sample:vit.")
    var model: String

    @Option(
        help: ArgumentHelp(
            "Data with labels: .npz with the input's array (or x) and y. Repeatable. sample:digits for the samples.",
            valueName: "file"))
    var data: [String]

    @OptionGroup var options: RunningOptions
    @OptionGroup var plugins: PluginOptions

    func validate() throws {
        if data.isEmpty { throw ValidationError("--data is missing.") }
    }

    func run() async throws {
        let line = ProgressLine(quiet: options.quiet)
        defer { line.finish() }
        let evaluation = try Evaluation(
            of: Samples.resolve(model), data: data.map { try Samples.resolve($0) }, plugins: plugins.load(),
            options: options.runOptions
        ) { line.update($0) }
        line.finish()
        if options.json {
            Terminal.print(try ReportEncoder.json(evaluation))
        } else {
            Terminal.print(evaluation.text)
        }
    }
}
