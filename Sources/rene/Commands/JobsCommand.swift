internal import ArgumentParser
internal import Conversion
internal import ConverterKit
internal import Daemon

struct JobsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "See and change the jobs of a watched folder.",
        subcommands: [List.self, Show.self, Retry.self, Cancel.self], defaultSubcommand: List.self)

    struct Root: ParsableArguments {
        @Option(help: ArgumentHelp("The watched folder.", valueName: "root"))
        var root = "."

        @Flag(help: "Print as JSON.")
        var json = false
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List jobs, the newest first.")

        @Option(help: ArgumentHelp("Only jobs in this state. Repeatable.", valueName: "state"))
        var state: [String] = []

        @Option(help: "How many at most.")
        var limit = 1000

        @OptionGroup var root: Root

        func run() throws {
            Terminal.print(try JobsReport(root: root.root, json: root.json).list(states: state, limit: limit))
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a job with what happened to it.")

        @Argument(help: "The job's number.")
        var id: Int64

        @OptionGroup var root: Root

        func run() throws { Terminal.print(try JobsReport(root: root.root, json: root.json).show(id)) }
    }

    struct Retry: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run a job again that failed, was cancelled or waits.",
            discussion: "The daemon takes it up at once, or at its next start.")

        @Argument(help: "The job's number.")
        var id: Int64

        @Flag(help: "Also when it is done: convert it again and replace the result.")
        var force = false

        @OptionGroup var root: Root

        func run() throws { Terminal.print(try JobsReport(root: root.root, json: root.json).retry(id, force: force)) }
    }

    struct Cancel: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancel a job; its source goes to failed.")

        @Argument(help: "The job's number.")
        var id: Int64

        @OptionGroup var root: Root

        func run() throws { Terminal.print(try JobsReport(root: root.root, json: root.json).cancel(id)) }
    }
}
