internal import ArgumentParser
internal import Conversion

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show a model's layers, parameters and MACs, what can be factorized, and why not the rest.")

    @Argument(help: "The model file, or sample:cnn or sample:vit.")
    var model: String

    @Flag(help: "Print as JSON.")
    var json = false

    @OptionGroup var options: ConversionOptions
    @OptionGroup var plugins: PluginOptions

    func run() async throws {
        let inspection = try Inspection(
            of: Samples.resolve(model), plugins: plugins.load(), settings: options.settings)
        if json {
            Terminal.print(try ReportEncoder.json(inspection))
        } else {
            Terminal.print(InspectionText.table(of: inspection))
        }
    }
}
