internal import ConverterKit
internal import Glibc
internal import PluginManifest

/// A shared library, loaded for the rest of the process: Swift's metadata cannot be unloaded.
@safe struct DynamicLibrary: ~Copyable {
    private let handle: UnsafeMutableRawPointer
    let path: String

    /// Loads with all symbols resolved at once, so that a library built against another kit fails here and not later.
    init(path: String) throws(ConversionError) {
        guard let handle = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            let cause = unsafe dlerror().map { unsafe String(cString: $0) }
            throw ConversionError(
                "plugin.cannot-load", .pluginUnavailable, "the plugin \(path) cannot be loaded",
                remedy: "Build the plugin against this program's ConverterKit with the same Swift toolchain.",
                site: .init(file: path), cause: cause)
        }
        unsafe self.handle = handle
        self.path = path
    }

    /// The manifest, which is read without running any code of the library; `nil` if the library is no plugin.
    var manifest: PluginManifestFacts? {
        guard let symbol = unsafe dlsym(handle, "rene_plugin_manifest") else { return nil }
        return unsafe PluginManifestFacts(symbol.assumingMemoryBound(to: rene_plugin_manifest.self))
    }

    /// Calls the plugin's entry point.
    func createPlugin() throws(ConversionError) -> Plugin {
        guard let symbol = unsafe dlsym(handle, "rene_plugin_create") else {
            throw ConversionError(
                "plugin.no-entry-point", .pluginUnavailable, "the plugin \(path) has no rene_plugin_create",
                remedy: "Add the @_cdecl(\"rene_plugin_create\") function that ConverterKit documents.",
                site: .init(file: path))
        }
        typealias Create = @convention(c) () -> UnsafeMutableRawPointer?
        let create = unsafe unsafeBitCast(symbol, to: Create.self)
        guard let object = unsafe create() else {
            throw ConversionError(
                "plugin.no-entry-point", .pluginUnavailable, "the plugin \(path) returned nothing",
                remedy: "Return Plugin(...).handOver() from rene_plugin_create.", site: .init(file: path))
        }
        return unsafe Plugin.takeOver(object)
    }
}

/// The manifest's strings, copied.
struct PluginManifestFacts: Sendable, Hashable {
    var kitVersion: String
    var compilerVersion: String
    var name: String
    var version: String

    init?(_ pointer: UnsafePointer<rene_plugin_manifest>?) {
        guard let pointer = unsafe pointer else { return nil }
        let manifest = unsafe pointer.pointee
        guard let kit = unsafe manifest.kit_version, let compiler = unsafe manifest.compiler_version,
            let name = unsafe manifest.plugin_name, let version = unsafe manifest.plugin_version
        else { return nil }
        kitVersion = unsafe String(cString: kit)
        compilerVersion = unsafe String(cString: compiler)
        self.name = unsafe String(cString: name)
        self.version = unsafe String(cString: version)
    }
}
