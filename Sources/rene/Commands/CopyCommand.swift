internal import ArgumentParser
internal import Conversion

/// Import and export without any change in between: what the round-trip checks and the benchmarks run.
struct CopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Read a model and write it again, unchanged.", shouldDisplay: false)

    @Argument(help: "The model file.")
    var model: String

    @Option(name: [.short, .long], help: ArgumentHelp("The folder to write to; made if missing.", valueName: "dir"))
    var output: String

    @Flag(help: "Replace existing output files.")
    var overwrite = false

    @OptionGroup var plugins: PluginOptions

    func run() async throws {
        var settings = ConversionSettings()
        settings.overwrite = overwrite
        let converter = Converter(plugins: plugins.load(), settings: settings) { _ in }
        Terminal.print(try converter.copy(Samples.resolve(model), to: output).model)
    }
}
