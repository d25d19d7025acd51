#include <PluginManifest.h>

RENE_PLUGIN("template", "1.0.0")
