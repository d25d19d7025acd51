/// The folders that plugins are looked for in, first hit first.
public struct PluginFolders: Sendable, Hashable {
    public var folders: [String]

    /// - Parameters:
    ///   - given: folders named on the command line.
    ///   - environment: the value of `RENE_PLUGIN_PATH`, folders separated by colons.
    ///   - executable: absolute path of the running program. An installed program has its plugins in
    ///     `../lib/rene/plugins` beside it, a built one in the build folder.
    public init(given: [String], environment: String?, executable: String) {
        var all = given
        all += environment?.split(separator: ":").map(String.init) ?? []
        var parts = executable.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        if !parts.isEmpty { parts.removeLast() }
        let folder = "/" + parts.joined(separator: "/")
        let prefix = "/" + parts.dropLast().joined(separator: "/")
        all += [(prefix == "/" ? "" : prefix) + "/lib/rene/plugins", folder]
        var seen: Set<String> = []
        folders = all.filter { seen.insert($0).inserted }
    }
}
