#include <PluginManifest.h>

RENE_PLUGIN("onnx-exporter", "0.1.0")
