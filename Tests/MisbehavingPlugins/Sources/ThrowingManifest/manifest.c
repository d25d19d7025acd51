#include <PluginManifest.h>

RENE_PLUGIN("throwing", "1.0.0")
