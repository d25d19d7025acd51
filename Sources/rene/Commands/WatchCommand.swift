internal import ArgumentParser
internal import Conversion
internal import ConverterKit
internal import Daemon
internal import Glibc
internal import Logging

struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Convert whatever is put into a folder.",
        discussion: """
            Models put into ROOT/inbox come out in ROOT/outbox under the same sub-folder, with their reports; their \
            sources go to ROOT/done. What cannot be converted goes to ROOT/failed/NAME with error.json and the log. \
            SIGHUP reads the settings anew, SIGTERM lets running conversions finish, a second one ends them.
            """)

    @Argument(help: ArgumentHelp("The folder that holds inbox, outbox, done and failed.", valueName: "root"))
    var root: String

    @Option(help: ArgumentHelp("The settings file.", valueName: "file"))
    var config: String?

    @Flag(help: "End when everything in the inbox is done.")
    var once = false

    @OptionGroup var plugins: PluginOptions

    func run() async throws {
        let layout = LogLayout.detect(descriptor: STDERR_FILENO)
        let sink = ServiceLogHandler.sink(descriptor: STDERR_FILENO, layout: layout)
        let logger = Logger(label: "rene") { _ in ServiceLogHandler(sink: sink, layout: layout) }
        defer { _ = sink.flush() }
        let failures = try await WatchDaemon.run(
            WatchOptions(
                root: root, configuration: config, once: once,
                workerArguments: plugins.pluginPath.flatMap { ["--plugin-path", $0] }),
            logger: logger)
        if once, failures > 0 {
            _ = sink.flush()
            throw ExitCode(ConversionError.Kind.badInput.exitStatus)
        }
    }
}
