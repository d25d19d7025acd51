/// What a plugin offers: the object its `rene_plugin_create` hands to the program.
///
///     @_cdecl("rene_plugin_create")
///     public func createPlugin() -> UnsafeMutableRawPointer {
///         Plugin(importers: [MyImporter.self]).handOver()
///     }
public final class Plugin: Sendable {
    public let importers: [any ModelImporter.Type]
    public let exporters: [any ModelExporter.Type]

    public init(importers: [any ModelImporter.Type] = [], exporters: [any ModelExporter.Type] = []) {
        self.importers = importers
        self.exporters = exporters
    }

    /// The plugin as the pointer that `rene_plugin_create` returns; the program takes over the reference.
    public func handOver() -> UnsafeMutableRawPointer {
        unsafe Unmanaged.passRetained(self).toOpaque()
    }

    /// Takes over what `rene_plugin_create` returned.
    public static func takeOver(_ pointer: UnsafeMutableRawPointer) -> Plugin {
        unsafe Unmanaged<Plugin>.fromOpaque(pointer).takeRetainedValue()
    }
}
