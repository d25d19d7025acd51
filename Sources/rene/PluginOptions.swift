internal import ArgumentParser
internal import Glibc
internal import PluginHost

struct PluginOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A folder to look for plugins in, before all others. Repeatable.", valueName: "folder"))
    var pluginPath: [String] = []

    var folders: PluginFolders {
        let environment = unsafe getenv("RENE_PLUGIN_PATH").map { unsafe String(cString: $0) }
        return PluginFolders(given: pluginPath, environment: environment, executable: Executable.path)
    }

    func load() -> PluginRegistry { PluginRegistry(loadingFrom: folders.folders) }
}
