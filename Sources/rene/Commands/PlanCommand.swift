internal import ArgumentParser
internal import Conversion

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show the ranks that convert would choose, their cost and error; writes no model.")

    @Argument(help: "The model file, or sample:cnn or sample:vit.")
    var model: String

    @Flag(help: "Print the plan as JSON.")
    var json = false

    @Flag(name: [.short, .long], help: "No narration on standard error.")
    var quiet = false

    @OptionGroup var options: ConversionOptions
    @OptionGroup var plugins: PluginOptions

    func run() async throws {
        let line = ProgressLine(quiet: quiet)
        let converter = Converter(plugins: plugins.load(), settings: options.settings) { line.update($0) }
        defer { line.finish() }
        let report = try converter.plan(Samples.resolve(model))
        line.finish()
        if json {
            Terminal.print(try report.json())
        } else {
            Terminal.print(ReportText.layers(of: report))
            Terminal.print(ReportText.summary(of: report))
        }
    }
}
