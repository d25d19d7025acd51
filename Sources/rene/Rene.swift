internal import ArgumentParser
internal import Conversion

@main
struct Rene: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rene",
        abstract: "Makes ONNX models smaller and faster by low-rank decomposition, with the ranks found automatically.",
        version: Version.current,
        subcommands: [
            ConvertCommand.self, BatchCommand.self, WatchCommand.self, JobsCommand.self, ConfigCommand.self,
            PlanCommand.self, InspectCommand.self, EvaluateCommand.self, CompareCommand.self, RunCommand.self,
            PluginsCommand.self, DoctorCommand.self, CopyCommand.self, WorkerProcessCommand.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            Failure.exit(with: error)
        }
    }
}
