// swift-tools-version: 6.2
import PackageDescription

let kit: Target.Dependency = .product(name: "ConverterKit", package: "ConverterKit")
let manifest: Target.Dependency = .product(name: "PluginManifest", package: "ConverterKit")

/// Plugins that misbehave, for the tests of the plugin host. A package of its own, so that no build of the program has
/// them beside it.
let package = Package(
    name: "MisbehavingPlugins",
    products: [
        .library(name: "LyingPlugin", type: .dynamic, targets: ["LyingPlugin"]),
        .library(name: "ThrowingPlugin", type: .dynamic, targets: ["ThrowingPlugin"]),
    ],
    dependencies: [.package(path: "../../Sources/ConverterKit")],
    targets: [
        .target(name: "LyingPlugin", dependencies: [kit, "LyingManifest"]),
        .target(name: "LyingManifest", dependencies: [manifest]),
        .target(name: "ThrowingPlugin", dependencies: [kit, "ThrowingManifest"]),
        .target(name: "ThrowingManifest", dependencies: [manifest]),
    ]
)
