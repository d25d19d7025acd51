// swift-tools-version: 6.2
import PackageDescription

/// A converter plugin in a package of its own: the place to start from for a new format. It needs ConverterKit alone.
/// Copy the folder, set the path (or the address) of ConverterKit, and rename.
let package = Package(
    name: "TemplatePlugin",
    products: [.library(name: "TemplatePlugin", type: .dynamic, targets: ["TemplatePlugin"])],
    dependencies: [.package(path: "../../Sources/ConverterKit")],
    targets: [
        .target(
            name: "TemplatePlugin",
            dependencies: [.product(name: "ConverterKit", package: "ConverterKit"), "TemplateManifest"]),
        .target(
            name: "TemplateManifest", dependencies: [.product(name: "PluginManifest", package: "ConverterKit")]),
    ]
)
