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

let kit: Target.Dependency = .product(name: "ConverterKit", package: "ConverterKit")
let manifest: Target.Dependency = .product(name: "PluginManifest", package: "ConverterKit")

let sources: [Target] = [
    .systemLibrary(name: "COpenBLAS"),
    .systemLibrary(name: "COpenSSL"),
    .systemLibrary(name: "CZip"),
    .target(name: "CLinux"),
    .target(name: "LinearAlgebra", dependencies: ["COpenBLAS"], swiftSettings: strict),
    .target(name: "Decompositions", dependencies: ["LinearAlgebra"], swiftSettings: strict),
    .target(name: "CKernels"),
    .target(name: "Execution", dependencies: [kit, "CKernels", "LinearAlgebra"], swiftSettings: strict),
    .target(
        name: "FineTuning", dependencies: [kit, "CKernels", "Execution", "LinearAlgebra"], swiftSettings: strict),
    .target(name: "LayerMapping", dependencies: [kit, "Decompositions"], swiftSettings: strict),
    .target(name: "RankSearch", dependencies: ["Decompositions", "LinearAlgebra"], swiftSettings: strict),
    .target(name: "PluginHost", dependencies: [kit, manifest], swiftSettings: strict),
    .target(
        name: "Conversion",
        dependencies: [
            kit, "CLinux", "COpenSSL", "CZip", "PluginHost", "LinearAlgebra", "Decompositions", "Execution",
            "FineTuning", "LayerMapping", "RankSearch",
            .product(name: "Subprocess", package: "swift-subprocess"),
            .product(name: "SystemPackage", package: "swift-system"),
        ],
        swiftSettings: strict),
    .target(name: "WatchFolder", swiftSettings: strict),
    .target(
        name: "JobStore", dependencies: [.product(name: "GRDB", package: "GRDB.swift")], swiftSettings: strict),
    .target(
        name: "Settings",
        dependencies: [kit, "Conversion", "FineTuning", .product(name: "Yams", package: "Yams")],
        swiftSettings: strict),
    .target(
        name: "Daemon",
        dependencies: [
            kit, "CLinux", "Conversion", "Decompositions", "JobStore", "RankSearch", "Settings", "WatchFolder",
            .product(name: "Logging", package: "swift-log"),
            .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        ],
        swiftSettings: strict),
    .executableTarget(
        name: "rene",
        dependencies: [
            kit, "CLinux", "Conversion", "Daemon", "FineTuning", "PluginHost", "LinearAlgebra", "Decompositions",
            "LayerMapping", "RankSearch",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "Logging", package: "swift-log"),
        ],
        resources: [.copy("Samples")],
        swiftSettings: strict),
]

let plugins: [Target] = [
    .target(name: "CONNX", dependencies: ["CProtobufC"], path: "Plugins/CONNX"),
    .systemLibrary(name: "CProtobufC", path: "Plugins/CProtobufC"),
    .target(name: "ONNXFormat", dependencies: [kit, "CONNX"], path: "Plugins/ONNXFormat", swiftSettings: strict),
    .target(name: "ONNXImporterManifest", dependencies: [manifest], path: "Plugins/ONNXImporter/Manifest"),
    .target(
        name: "ONNXImporter", dependencies: [kit, "ONNXFormat", "ONNXImporterManifest"],
        path: "Plugins/ONNXImporter/Sources", swiftSettings: strict),
    .target(name: "ONNXExporterManifest", dependencies: [manifest], path: "Plugins/ONNXExporter/Manifest"),
    .target(
        name: "ONNXExporter", dependencies: [kit, "ONNXFormat", "ONNXExporterManifest"],
        path: "Plugins/ONNXExporter/Sources", swiftSettings: strict),
    .executableTarget(
        name: "rene-check-onnx", path: "Plugins/ONNXChecker",
        linkerSettings: [
            .linkedLibrary("onnx"), .linkedLibrary("onnx_proto"), .linkedLibrary("protobuf"),
        ]),
]

let tests: [Target] = [
    // For LD_PRELOAD, by Tests/CrossChecks/check_faults.py.
    .target(name: "FaultInjection", path: "Tests/FaultInjection"),
    .target(name: "TestSupport", dependencies: [kit, "LinearAlgebra"], path: "Tests/Support", swiftSettings: strict),
    .testTarget(name: "ArchitectureTests", dependencies: ["TestSupport"], swiftSettings: strict),
    .testTarget(name: "ConverterKitTests", dependencies: [kit, "TestSupport"], swiftSettings: strict),
    .testTarget(
        name: "LinearAlgebraTests", dependencies: ["LinearAlgebra", "TestSupport"], swiftSettings: strict),
    .testTarget(
        name: "DecompositionsTests", dependencies: ["Decompositions", "LinearAlgebra", "TestSupport"],
        swiftSettings: strict),
    .testTarget(
        name: "ExecutionTests", dependencies: [kit, "Execution", "LinearAlgebra", "TestSupport"], swiftSettings: strict),
    .testTarget(
        name: "FineTuningTests", dependencies: [kit, "Execution", "FineTuning", "LinearAlgebra", "TestSupport"],
        swiftSettings: strict),
    .testTarget(
        name: "LayerMappingTests", dependencies: [kit, "LayerMapping", "Decompositions", "TestSupport"],
        swiftSettings: strict),
    .testTarget(
        name: "RankSearchTests", dependencies: ["RankSearch", "Decompositions", "TestSupport"],
        swiftSettings: strict),
    .testTarget(name: "ONNXFormatTests", dependencies: [kit, "ONNXFormat", "TestSupport"], swiftSettings: strict),
    .testTarget(
        name: "PluginHostTests", dependencies: [kit, "PluginHost", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "WatchFolderTests", dependencies: ["WatchFolder", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "JobStoreTests", dependencies: ["JobStore", "TestSupport"], swiftSettings: strict),
    .testTarget(
        name: "SettingsTests", dependencies: [kit, "Settings", "Conversion", "TestSupport"], swiftSettings: strict),
    .executableTarget(
        name: "rene-conformance", dependencies: [kit, "Execution", "ONNXFormat"], path: "Tests/Conformance",
        swiftSettings: strict),
    // What a run of a plan allocates: a process of its own, whose malloc counts.
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .executableTarget(
        name: "allocation-probe", dependencies: [kit, "AllocationCounter", "Execution", "TestSupport"],
        path: "Tests/AllocationProbe", swiftSettings: strict),
    .executableTarget(
        name: "misbehaving-worker", dependencies: [kit, "Daemon"], path: "Tests/Workers", swiftSettings: strict),
    .testTarget(
        name: "DaemonTests",
        dependencies: [kit, "Daemon", "TestSupport", .product(name: "Logging", package: "swift-log")],
        swiftSettings: strict),
    .testTarget(
        name: "CommandTests", dependencies: [kit, "JobStore", "TestSupport"]),
    .testTarget(
        name: "ConversionTests", dependencies: [kit, "Conversion", "Execution", "TestSupport"], swiftSettings: strict),
]

let package = Package(
    name: "rene",
    products: [
        .executable(name: "rene", targets: ["rene"]),
        .library(name: "ONNXImporter", type: .dynamic, targets: ["ONNXImporter"]),
        .library(name: "ONNXExporter", type: .dynamic, targets: ["ONNXExporter"]),
        .executable(name: "rene-check-onnx", targets: ["rene-check-onnx"]),
        .library(name: "FaultInjection", type: .dynamic, targets: ["FaultInjection"]),
        // For Tests/Benchmarks, a package of its own.
        .library(name: "Decompositions", targets: ["LinearAlgebra", "Decompositions"]),
        .library(name: "Execution", targets: ["LinearAlgebra", "Execution"]),
        .library(name: "FineTuning", targets: ["FineTuning"]),
        .library(name: "ONNXFormat", targets: ["ONNXFormat"]),
    ],
    dependencies: [
        .package(path: "Sources/ConverterKit"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: sources + plugins + tests,
    cxxLanguageStandard: .cxx17
)
