internal import ArgumentParser
internal import Conversion
internal import ConverterKit
internal import PluginHost

struct PluginsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins", abstract: "List the importers and exporters found, and the plugins that were refused.")

    @Flag(help: "Print as JSON.")
    var json = false

    @OptionGroup var plugins: PluginOptions

    func run() throws {
        let listing = PluginListing(plugins.load())
        if json {
            Terminal.print(try ReportEncoder.json(listing))
            return
        }
        for plugin in listing.plugins {
            Terminal.print("\(plugin.name) \(plugin.version)  \(plugin.path)")
            for format in plugin.reads { Terminal.print("  reads  \(format)") }
            for format in plugin.writes { Terminal.print("  writes \(format)") }
        }
        for refusal in listing.refused {
            Terminal.print("refused: \(refusal.message) [\(refusal.code)]\n  remedy: \(refusal.remedy)")
        }
        if listing.plugins.isEmpty {
            Terminal.print("no plugins; looked in: \(listing.folders.joined(separator: ", "))")
        }
    }
}

/// What `rene plugins --json` prints.
struct PluginListing: Encodable {
    struct Plugin: Encodable {
        var name: String
        var version: String
        var path: String
        var reads: [String]
        var writes: [String]
    }

    struct Refusal: Encodable {
        var path: String?
        var code: String
        var message: String
        var remedy: String
    }

    var kitVersion: String
    var compiler: String
    var folders: [String]
    var plugins: [Plugin]
    var refused: [Refusal]

    init(_ registry: PluginRegistry) {
        kitVersion = PluginRegistry.hostVersions.kit
        compiler = PluginRegistry.hostVersions.compiler
        folders = registry.folders
        plugins = registry.plugins.map { plugin in
            Plugin(
                name: plugin.name, version: plugin.version, path: plugin.path,
                reads: plugin.importers.map { Self.text($0.format) },
                writes: plugin.exporters.map { Self.text($0.format) })
        }
        refused = registry.refusals.map {
            Refusal(path: $0.site.file, code: $0.code.name, message: $0.message, remedy: $0.remedy)
        }
    }

    private static func text(_ format: FormatDescription) -> String {
        "\(format.name) (.\(format.fileExtensions.joined(separator: ", ."))): \(format.summary)"
    }
}
