#include <PluginManifest.h>

/* A manifest that states a kit this program is not built with. */
__attribute__((visibility("default"), used)) const struct rene_plugin_manifest rene_plugin_manifest = {
    "99", RENE_COMPILER_VERSION, "lying", "1.0.0"};
