import Decompositions
import LinearAlgebra
import Testing

/// Weights and shapes at the edge.
@Suite struct SpecialWeightTests {
    static let degenerate = [
        LayerShape(kind: .linear, inChannels: 1, outChannels: 1),
        LayerShape(kind: .linear, inChannels: 1, outChannels: 50),
        LayerShape(kind: .linear, inChannels: 50, outChannels: 1),
        LayerShape(kind: .linear, inChannels: 0, outChannels: 5),
        LayerShape(kind: .convolution, inChannels: 1, outChannels: 1, kernel: [1, 1], strides: [1, 1]),
        LayerShape(kind: .convolution, inChannels: 8, outChannels: 8, groups: 8, kernel: [3], strides: [1]),
        LayerShape(kind: .convolution, inChannels: 8, outChannels: 8, groups: 3, kernel: [3, 3], strides: [1, 1]),
    ]

    @Test("shapes in which no rank pays are refused by each decomposition", arguments: degenerate)
    func degenerateShapes(_ layer: LayerShape) {
        for decomposition in DecompositionRegistry.all {
            #expect(!decomposition.applies(to: layer), "\(decomposition.id), \(layer)")
            expectCode("decomposition.degenerate", "\(decomposition.id), \(layer)") {
                _ = try decomposition.analyze(
                    weight: [Float](repeating: 1, count: max(0, layer.weightCount)), of: layer,
                    retainingFactors: true, seed: 0)
            }
        }
    }

    @Test("a depthwise convolution is decomposed only where the chain can be smaller")
    func depthwise() {
        let square = LayerShape(
            kind: .convolution, inChannels: 16, outChannels: 16, groups: 16, kernel: [3, 3], strides: [1, 1])
        let applying = DecompositionRegistry.all.filter { $0.applies(to: square) }
        // Only the kernel's own two axes can be pulled apart: 3 + 3 weights a channel, or 1 + 3 + 3 + 1, for 9.
        #expect(applying.map(\.id) == ["cp4", "spatial-svd"])
    }

    @Test("linear layers and kernels of one position have only the SVD pair")
    func onePosition() {
        for layer in [
            LayerShape(kind: .linear, inChannels: 64, outChannels: 64),
            LayerShape(kind: .convolution, inChannels: 64, outChannels: 64, kernel: [1, 1], strides: [1, 1]),
            LayerShape(kind: .transposedConvolution, inChannels: 64, outChannels: 64, kernel: [1], strides: [1]),
        ] {
            #expect(DecompositionRegistry.all.filter { $0.applies(to: layer) }.map(\.id) == ["svd"])
        }
    }

    @Test("a weight of zeros gives a chain of zeros without error", arguments: Subject.all)
    func zeros(_ subject: Subject) throws {
        let weight = [Float](repeating: 0, count: subject.layer.weightCount)
        let ranks = subject.ranks(0.5)
        let analysis = try subject.decomposition.analyze(
            weight: weight, of: subject.layer, retainingFactors: true, seed: 1)
        #expect(try analysis.squaredError(ranks: ranks) == 0)
        #expect(try analysis.relativeError(ranks: ranks) == 0)
        let chain = try subject.decomposition.factorize(
            weight: weight, of: subject.layer, ranks: ranks, analysis: analysis, seed: 1)
        #expect(chain.links.allSatisfy { areFinite($0.weight) })
        #expect(try chain.reconstruct(subject.layer) == weight)
    }

    @Test("a constant and a rank-one weight are exact at rank 1 and above", arguments: Subject.all, [true, false])
    func rankOne(_ subject: Subject, constant: Bool) throws {
        let layer = subject.layer
        var generator = SeededGenerator(seed: 11)
        let fill: (Int, inout SeededGenerator) -> [Float] = { count, generator in
            constant ? [Float](repeating: 0.5, count: count) : generator.normals(count)
        }
        let axes = layer.kernel.map { fill($0, &generator) }
        let kernel = axes.reduce([1]) { product, axis in product.flatMap { x in axis.map { x * $0 } } }
        var weight: [Float] = []
        for _ in 0..<layer.groups {
            let (a, b) = (fill(layer.outChannelsPerGroup, &generator), fill(layer.inChannelsPerGroup, &generator))
            for x in a { for y in b { for z in kernel { weight.append(x * y * z) } } }
        }
        for share in [0.0, 0.5] {
            let ranks = subject.ranks(share)
            let chain = try subject.decomposition.factorize(
                weight: weight, of: layer, ranks: ranks, analysis: nil, seed: 3)
            let distance = squaredDistance(weight, try chain.reconstruct(layer))
            #expect(distance < 1e-8 * squaredNorm(weight), "ranks \(ranks), constant \(constant), seed 11")
        }
    }

    @Test("a huge condition number neither breaks the factors nor the stated error", arguments: Subject.all)
    func conditionNumber(_ subject: Subject) throws {
        let layer = subject.layer
        var generator = SeededGenerator(seed: 12)
        let perRow = layer.inChannelsPerGroup * layer.kernelSize
        var weight = generator.normals(layer.weightCount)
        // Rows fall by a factor of ten each, down to numbers without full precision.
        for row in 0..<layer.outChannels {
            for index in row * perRow..<(row + 1) * perRow {
                for _ in 0..<(row % layer.outChannelsPerGroup) * 5 { weight[index] *= 0.1 }
            }
        }
        let ranks = subject.ranks(0.7)
        let analysis = try subject.decomposition.analyze(weight: weight, of: layer, retainingFactors: true, seed: 1)
        let chain = try subject.decomposition.factorize(
            weight: weight, of: layer, ranks: ranks, analysis: analysis, seed: 1)
        #expect(chain.links.allSatisfy { areFinite($0.weight) })
        let measured = squaredDistance(weight, try chain.reconstruct(layer))
        #expect(measured <= (try analysis.squaredError(ranks: ranks)) + 1e-6 * analysis.squaredNorm)
    }

    @Test("the norm is shared by the links, so that half precision can hold them", arguments: Subject.all)
    func balance(_ subject: Subject) throws {
        // Products of two such weights leave half precision, whose largest number is 65504; their roots do not.
        let weight = subject.layerCase.weight(seed: 13).map { $0 * 2e4 }
        let chain = try subject.decomposition.factorize(
            weight: weight, of: subject.layer, ranks: subject.ranks(0.5), analysis: nil, seed: 1)
        let largest = weight.reduce(0) { max($0, abs($1)) }
        for link in chain.links {
            let extreme = link.weight.reduce(0) { max($0, abs($1)) }
            #expect(extreme < largest.squareRoot() * 8, "\(link.shape)")
        }
    }

    @Test("an analysis of another weight or decomposition is not used", arguments: Subject.all)
    func foreignAnalysis(_ subject: Subject) throws {
        let (weight, other) = (subject.layerCase.weight(seed: 1), subject.layerCase.weight(seed: 2))
        let ranks = subject.ranks(0.5)
        let foreign = try subject.decomposition.analyze(
            weight: other, of: subject.layer, retainingFactors: true, seed: 5)
        let chains = try [foreign, nil].map {
            try subject.decomposition.factorize(
                weight: weight, of: subject.layer, ranks: ranks, analysis: $0, seed: 5)
        }
        #expect(chains[0].links.map(\.weight) == chains[1].links.map(\.weight))
    }

    @Test(
        "layers larger than the blocks of the kernels have the stated error, with retained factors and without",
        arguments: [
            ("svd", LayerShape(kind: .linear, inChannels: 700, outChannels: 300), [100]),
            ("svd", LayerShape(kind: .linear, inChannels: 300, outChannels: 700), [299]),
            ("tucker", LayerShape(kind: .convolution, inChannels: 96, outChannels: 80, kernel: [3, 3]), [40, 70]),
            ("tt", LayerShape(kind: .convolution, inChannels: 80, outChannels: 96, kernel: [3, 3]), [50]),
            ("cp", LayerShape(kind: .convolution, inChannels: 96, outChannels: 80, kernel: [3, 3]), [48]),
            ("spatial-svd", LayerShape(kind: .convolution, inChannels: 96, outChannels: 80, kernel: [5, 3]), [90]),
        ])
    func large(_ id: String, _ layer: LayerShape, _ ranks: [Int]) throws {
        let decomposition = try #require(DecompositionRegistry.named(id))
        var generator = SeededGenerator(seed: 14)
        let weight = generator.normals(layer.weightCount)
        let analysis = try decomposition.analyze(weight: weight, of: layer, retainingFactors: true, seed: 1)
        let stated = try analysis.squaredError(ranks: ranks)
        for given in [analysis, nil] as [(any RankAnalysis)?] {
            let chain = try decomposition.factorize(
                weight: weight, of: layer, ranks: ranks, analysis: given, seed: 1)
            let measured = squaredDistance(weight, try chain.reconstruct(layer))
            let note: Comment = "\(id) \(ranks): stated \(stated), measured \(measured), seed 14"
            #expect(measured <= stated + 1e-6 * analysis.squaredNorm, note)
            // HOOI gains a few per cent on noise, where the HOSVD is at its worst.
            #expect(measured >= stated * (["tt", "tucker"].contains(id) ? 0.8 : 0.9999), note)
        }
    }
}
