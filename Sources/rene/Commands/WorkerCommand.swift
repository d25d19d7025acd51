internal import ArgumentParser
internal import Conversion
internal import Daemon
internal import Glibc

/// What `watch` and `batch` start for each model.
struct WorkerProcessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Do one job of the daemon.", shouldDisplay: false)

    @Argument(help: "The job file.")
    var jobFile: String

    @OptionGroup var plugins: PluginOptions

    func run() async throws {
        let plugins = plugins
        let status = await ConversionWorker.run(jobFile: jobFile, by: ModelJobs { plugins.load() })
        Glibc.exit(status)
    }
}
