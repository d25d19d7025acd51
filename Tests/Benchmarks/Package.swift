// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "rene", path: "../..")],
    targets: [
        .executableTarget(
            name: "decomposition-bench", dependencies: [.product(name: "Decompositions", package: "rene")],
            path: "Sources/DecompositionBench"),
        .executableTarget(
            name: "convolution-bench", dependencies: [.product(name: "Execution", package: "rene")],
            path: "Sources/ConvolutionBench"),
    ]
)
