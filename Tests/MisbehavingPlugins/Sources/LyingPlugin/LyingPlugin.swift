/// Must never run: the program refuses the plugin by its manifest before it calls anything.
@_cdecl("rene_plugin_create")
public func createPlugin() -> UnsafeMutableRawPointer? {
    fatalError("code of a refused plugin was run")
}
