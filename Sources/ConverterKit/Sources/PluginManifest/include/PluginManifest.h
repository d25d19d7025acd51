/// The manifest of a converter plugin: constants that the program reads from the library before it runs any Swift
/// of the plugin, so that a plugin built against another kit or by another compiler is refused and not executed.
///
/// A plugin has one C file that says
///
///     #include <PluginManifest.h>
///     RENE_PLUGIN("onnx-importer", "1.0.0")
///
/// and one Swift function, `@_cdecl("rene_plugin_create")`, that returns `Plugin.handOver(...)`.
#ifndef RENE_PLUGIN_MANIFEST_H
#define RENE_PLUGIN_MANIFEST_H

/// Version of ConverterKit. The kit has no stable binary interface: every change of a public declaration raises it.
#define RENE_KIT_VERSION "1"

#if !defined(__clang__)
#error "Build the manifest with the clang of the Swift toolchain: its version stands for the Swift compiler's."
#endif

/// The toolchain that built this file, with its revision.
#define RENE_COMPILER_VERSION __VERSION__

/// Layout of the constants, all NUL-terminated UTF-8.
struct rene_plugin_manifest {
    const char *kit_version;
    const char *compiler_version;
    const char *plugin_name;
    const char *plugin_version;
};

#define RENE_PLUGIN(name, version)                                                                                   \
    __attribute__((visibility("default"), used)) const struct rene_plugin_manifest rene_plugin_manifest = {          \
        RENE_KIT_VERSION, RENE_COMPILER_VERSION, name, version};

/// The manifest of the program itself, to compare a plugin's with.
const struct rene_plugin_manifest *rene_host_manifest(void);

#endif
