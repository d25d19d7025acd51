#include <PluginManifest.h>

RENE_PLUGIN("onnx-importer", "0.1.0")
