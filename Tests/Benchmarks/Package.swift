// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "rene", path: "../..")],
    targets: [
        .executableTarget(
            name: "decomposition-bench", dependencies: [.product(name: "Decompositions", package: "rene")],
            path: "Sources/DecompositionBench")
    ]
)
