// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// The kit every converter plugin builds against. Its Swift library is dynamic, so that the program and all plugins
/// share one copy of each type and casts across the boundary hold.
let package = Package(
    name: "ConverterKit",
    products: [
        .library(name: "ConverterKit", type: .dynamic, targets: ["ConverterKit"]),
        .library(name: "PluginManifest", targets: ["PluginManifest"]),
    ],
    targets: [
        .target(name: "ConverterKit", swiftSettings: strict),
        .target(name: "PluginManifest"),
    ]
)
