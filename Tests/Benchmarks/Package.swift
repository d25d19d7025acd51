// swift-tools-version: 6.2
import PackageDescription

let kit: Target.Dependency = .product(name: "ConverterKit", package: "ConverterKit")

func product(_ name: String) -> Target.Dependency { .product(name: name, package: "rene") }

let package = Package(
    name: "Benchmarks",
    dependencies: [
        .package(name: "rene", path: "../.."),
        .package(path: "../../Sources/ConverterKit"),
    ],
    targets: [
        .executableTarget(
            name: "decomposition-bench", dependencies: [product("Decompositions")], path: "Sources/DecompositionBench"),
        .executableTarget(
            name: "execution-bench", dependencies: [kit, product("Execution"), product("ONNXFormat")],
            path: "Sources/ExecutionBench"),
        .executableTarget(
            name: "fine-tuning-bench",
            dependencies: [kit, product("Execution"), product("FineTuning"), product("ONNXFormat")],
            path: "Sources/FineTuningBench"),
    ]
)
