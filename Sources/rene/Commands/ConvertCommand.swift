internal import ArgumentParser
internal import Conversion
internal import ConverterKit

struct ConvertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Convert one model.",
        discussion: """
            Writes DIR/NAME.onnx, DIR/NAME.report.json and DIR/NAME.report.html. Layers that would not get smaller in \
            parameters and in MACs stay as they are; a model in which nothing can be gained is passed on unchanged.
            """)

    @Argument(help: "The model file, or sample:cnn or sample:vit.")
    var model: String

    @Option(name: [.short, .long], help: ArgumentHelp("The folder to write to; made if missing.", valueName: "dir"))
    var output: String

    @Flag(help: "Replace existing output files.")
    var overwrite = false

    @Flag(help: "Print the report as JSON on standard output.")
    var json = false

    @Flag(name: [.short, .long], help: "No narration on standard error.")
    var quiet = false

    @OptionGroup var options: ConversionOptions
    @OptionGroup var plugins: PluginOptions

    func run() async throws {
        var settings = try options.resolvedSettings()
        settings.overwrite = overwrite
        let line = ProgressLine(quiet: quiet)
        let converter = Converter(plugins: plugins.load(), settings: settings) { line.update($0) }
        defer { line.finish() }
        let outcome = try await converter.convert(Samples.resolve(model), to: output)
        line.finish()
        if json {
            Terminal.print(try outcome.report.json())
        } else {
            Terminal.print(outcome.published.model)
        }
        if !quiet { Terminal.narrate(ReportText.summary(of: outcome.report)) }
    }
}
