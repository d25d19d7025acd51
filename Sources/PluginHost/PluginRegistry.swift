public import ConverterKit
internal import Glibc
internal import PluginManifest

/// The plugins of this run: what was loaded, and what was refused and why. A refused plugin ends nothing; it is an error
/// only when its format is asked for.
public struct PluginRegistry: Sendable {
    public let folders: [String]
    public let plugins: [LoadedPlugin]
    public let refusals: [ConversionError]

    /// Loads every plugin found in `folders`. Of two plugins with the same name the one found first counts.
    public init(loadingFrom folders: [String]) {
        var loaded: [LoadedPlugin] = []
        var refused: [ConversionError] = []
        for path in folders.flatMap(Self.libraries(in:)) {
            do throws(ConversionError) {
                guard let plugin = try Self.load(path) else { continue }
                if !loaded.contains(where: { $0.name == plugin.name }) { loaded.append(plugin) }
            } catch {
                refused.append(error)
            }
        }
        self.folders = folders
        plugins = loaded
        refusals = refused
    }

    /// The version of the kit that this program was built against, and the compiler that built it.
    public static var hostVersions: (kit: String, compiler: String) {
        let facts = unsafe PluginManifestFacts(rene_host_manifest())
        return (facts?.kitVersion ?? "", facts?.compilerVersion ?? "")
    }

    /// The importer for the file's extension.
    public func importer(for path: String) throws(ConversionError) -> any ModelImporter {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        for plugin in plugins {
            for type in plugin.importers where type.format.fileExtensions.contains(where: { name.hasSuffix("." + $0) })
            {
                return type.init()
            }
        }
        throw missing("no plugin reads \(name)", formats: plugins.flatMap { $0.importers.map { $0.format } })
    }

    /// The exporter of the format `name`.
    public func exporter(named name: String) throws(ConversionError) -> any ModelExporter {
        for plugin in plugins {
            for type in plugin.exporters where type.format.name == name { return type.init() }
        }
        throw missing(
            "no plugin writes the format \(name)", formats: plugins.flatMap { $0.exporters.map { $0.format } })
    }

    private func missing(_ message: String, formats: [FormatDescription]) -> ConversionError {
        let known = formats.map { "\($0.name) (.\($0.fileExtensions.joined(separator: ", .")))" }
        return ConversionError(
            "plugin.format-unknown", .pluginUnavailable,
            message + "; available: " + (known.isEmpty ? "none" : known.joined(separator: ", ")),
            remedy: "See `rene plugins`; name the folder of the plugin with --plugin-path.",
            cause: refusals.isEmpty
                ? nil : refusals.map { "refused: \($0.message) [\($0.code)]" }.joined(separator: "; "))
    }

    private static func load(_ path: String) throws(ConversionError) -> LoadedPlugin? {
        let library = try DynamicLibrary(path: path)
        guard let manifest = library.manifest else { return nil }
        let host = hostVersions
        guard manifest.kitVersion == host.kit else {
            throw ConversionError(
                "plugin.kit-version", .pluginUnavailable,
                "the plugin \(manifest.name) was built for ConverterKit \(manifest.kitVersion), this program has \(host.kit)",
                remedy: "Build the plugin against this program's ConverterKit.", site: .init(file: path))
        }
        guard manifest.compilerVersion == host.compiler else {
            throw ConversionError(
                "plugin.compiler-version", .pluginUnavailable,
                "the plugin \(manifest.name) was built by \(manifest.compilerVersion), this program by \(host.compiler)",
                remedy: "Build the plugin with the Swift toolchain that built this program.", site: .init(file: path))
        }
        let plugin = try library.createPlugin()
        return LoadedPlugin(
            name: manifest.name, version: manifest.version, path: path, importers: plugin.importers,
            exporters: plugin.exporters)
    }

    /// The shared libraries directly in a folder, by name; a folder that does not exist has none.
    private static func libraries(in folder: String) -> [String] {
        guard let stream = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            // The kit itself lies beside the plugins of a build folder.
            if name.hasSuffix(".so"), name != "libConverterKit.so" { names.append(name) }
        }
        return names.sorted().map { folder + "/" + $0 }
    }
}

/// A plugin that passed the checks.
public struct LoadedPlugin: Sendable {
    public let name: String
    public let version: String
    public let path: String
    public let importers: [any ModelImporter.Type]
    public let exporters: [any ModelExporter.Type]

    /// The folder it was found in, where its helper programs are.
    public var folder: String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }
}
