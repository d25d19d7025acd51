#include "PluginManifest.h"

static const struct rene_plugin_manifest host = {RENE_KIT_VERSION, RENE_COMPILER_VERSION, "rene", RENE_KIT_VERSION};

const struct rene_plugin_manifest *rene_host_manifest(void) { return &host; }
