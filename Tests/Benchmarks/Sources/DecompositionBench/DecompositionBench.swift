import Decompositions
import Foundation
import LinearAlgebra

/// `decomposition-bench CASE…`: runs the cases, all by default, and prints a line of JSON for each.
/// `decomposition-bench cp FILE.f32 sweeps=30` fits the tensor `[256, 9, 256]` of raw floats in FILE, so that a peer can
/// fit the same.
@main struct DecompositionBench {
    static func main() throws {
        var arguments = Array(CommandLine.arguments.dropFirst())
        let file = arguments.firstIndex { $0.hasSuffix(".f32") }.map { arguments.remove(at: $0) }
        let sweepsArgument = arguments.firstIndex { $0.hasPrefix("sweeps=") }.map { arguments.remove(at: $0) }
        let sweeps = sweepsArgument.flatMap { Int($0.dropFirst("sweeps=".count)) } ?? 30
        BLAS.prepare()
        let cases: [(String, () throws -> Double?)] = [
            ("svd-plan", { try transformer(factorizing: false) }),
            ("svd-convert", { try transformer(factorizing: true) }),
            ("cp", { try canonicalPolyadic(file, oneStart(sweeps: sweeps)) }),
            ("cp-default", { try canonicalPolyadic(file, CPEffort()) }),
            ("tucker-512", { try tucker() }),
        ]
        for (name, body) in cases where arguments.isEmpty || arguments.contains(name) {
            let clock = ContinuousClock()
            var relativeError: Double?
            setUpSeconds = 0
            let duration = try clock.measure { relativeError = try body() }
            let seconds = duration / .seconds(1) - setUpSeconds
            let error = relativeError.map { ", \"relative_error\": \($0)" } ?? ""
            print(
                "{\"case\": \"\(name)\", \"seconds\": \(seconds)\(error), \"kernel\": \"\(BLAS.kernelName)\", "
                    + "\"threads\": \(BLAS.threads)}")
        }
    }

    nonisolated(unsafe) static var setUpSeconds = 0.0

    /// The weights of a BERT-base: 12 layers of four 768×768 and two 768×3072.
    static func transformer(factorizing: Bool) throws -> Double? {
        let shapes = [(768, 768), (768, 768), (768, 768), (768, 768), (3072, 768), (768, 3072)]
        let layers = shapes.map { LayerShape(kind: .linear, inChannels: $0.1, outChannels: $0.0) }
        let weights = setUp { layers.map { normals($0.weightCount, seed: UInt64($0.outChannels)) } }
        try BLAS.forEachConcurrently(12 * shapes.count) { index in
            let (layer, weight) = (layers[index % shapes.count], weights[index % shapes.count])
            let analysis = try SVD().analyze(weight: weight, of: layer, retainingFactors: factorizing, seed: 0)
            if factorizing {
                let rank = layer.weightCount / (layer.inChannels + layer.outChannels) / 2
                _ = try SVD().factorize(weight: weight, of: layer, ranks: [rank], analysis: analysis, seed: 0)
            }
        }
        return nil
    }

    static func oneStart(sweeps: Int) -> CPEffort {
        CPEffort(sweeps: sweeps, tolerance: -1, trialSweeps: 0, randomStarts: 0, startsFromSmallerRank: false)
    }

    /// Rank 128.
    static func canonicalPolyadic(_ file: String?, _ effort: CPEffort) throws -> Double? {
        let layer = LayerShape(
            kind: .convolution, inChannels: 256, outChannels: 256, kernel: [3, 3], strides: [1, 1],
            inputExtent: [14, 14], outputExtent: [14, 14])
        let weight = try setUp {
            let tensor = try file.map(read) ?? normals(layer.weightCount, seed: 1)
            return try exchangingLastAxes(tensor, 256, 9, 256)
        }
        let analysis = try CP(effort: effort).analyze(weight: weight, of: layer, retainingFactors: true, seed: 1)
        return try analysis.relativeError(ranks: [128])
    }

    static func tucker() throws -> Double? {
        let layer = LayerShape(
            kind: .convolution, inChannels: 512, outChannels: 512, kernel: [3, 3], strides: [1, 1],
            inputExtent: [7, 7], outputExtent: [7, 7])
        let weight = setUp { normals(layer.weightCount, seed: 1) }
        let analysis = try Tucker().analyze(weight: weight, of: layer, retainingFactors: true, seed: 0)
        _ = try Tucker().factorize(weight: weight, of: layer, ranks: [128, 128], analysis: analysis, seed: 0)
        return try analysis.relativeError(ranks: [128, 128])
    }

    /// Runs `body` outside the time that is reported.
    static func setUp<Value>(_ body: () throws -> Value) rethrows -> Value {
        let start = ContinuousClock.now
        let value = try body()
        setUpSeconds += (ContinuousClock.now - start) / .seconds(1)
        return value
    }

    static func normals(_ count: Int, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return generator.normals(count)
    }

    static func read(_ path: String) throws -> [Float] {
        try Data(contentsOf: URL(filePath: path)).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }
}
