internal import ArgumentParser
internal import ConverterKit
internal import Daemon

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check settings files.", subcommands: [Check.self, Schema.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell everything that is wrong with a settings file.")

        @Argument(help: "The settings file.")
        var file: String

        func run() throws {
            let (text, isSound) = SettingsReport.check(file)
            if !text.isEmpty { Terminal.print(text) }
            guard isSound else { throw ExitCode(ConversionError.Kind.configuration.exitStatus) }
            Terminal.narrate("\(file): in order")
        }
    }

    struct Schema: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the JSON Schema of settings files, for editors.")

        func run() throws { Terminal.print(SettingsReport.schema) }
    }
}
