import Decompositions
import LinearAlgebra
import Testing

@Suite struct CanonicalPolyadicTests {
    private let layer = LayerShape(
        kind: .convolution, inChannels: 20, outChannels: 24, kernel: [3, 3], strides: [1, 1], inputExtent: [8, 8],
        outputExtent: [8, 8])

    @Test("a tensor of known rank is found again", arguments: [2, 5], ["cp", "cp4"])
    func recovery(_ rank: Int, _ id: String) throws {
        let decomposition = try #require(DecompositionRegistry.named(id))
        for seed in 1...3 as ClosedRange<UInt64> {
            let weight = sum(of: rank, seed: seed)
            let analysis = try decomposition.analyze(weight: weight, of: layer, retainingFactors: true, seed: seed)
            let (error, below) = try (
                analysis.relativeError(ranks: [rank]), analysis.relativeError(ranks: [rank - 1])
            )
            #expect(error < 1e-2, "rank \(rank), seed \(seed)")
            #expect(below > 2 * error, "\(below) below, \(error) at rank \(rank), seed \(seed)")
        }
    }

    @Test("the error of a rank does not depend on what was asked before")
    func order() throws {
        let weight = sum(of: 12, seed: 4)
        let questions = [[17, 5, 9], [9, 17, 5], [5, 9, 17]]
        let answers = try questions.map { ranks in
            let analysis = try CP().analyze(weight: weight, of: layer, retainingFactors: false, seed: 1)
            var errors: [Int: Double] = [:]
            for rank in ranks { errors[rank] = try analysis.squaredError(ranks: [rank]) }
            return errors
        }
        #expect(answers[0] == answers[1] && answers[1] == answers[2])
    }

    /// `a⊗a⊗b + a⊗b⊗a + b⊗a⊗a` has rank 3 but models of rank 2 as near as one likes, whose two terms grow and cancel
    /// (de Silva and Lim, 2008).
    @Test("terms that would grow without bound are kept bounded")
    func degeneracy() throws {
        let small = LayerShape(
            kind: .convolution, inChannels: 6, outChannels: 6, kernel: [3, 3], strides: [1, 1], inputExtent: [4, 4],
            outputExtent: [4, 4])
        var generator = SeededGenerator(seed: 21)
        let (a1, b1) = (generator.normals(6), generator.normals(6))
        let (a2, b2) = (generator.normals(9), generator.normals(9))
        let (a3, b3) = (generator.normals(6), generator.normals(6))
        var weight: [Float] = []
        for o in 0..<6 {
            for i in 0..<6 {
                for s in 0..<9 {
                    weight.append(a1[o] * a2[s] * b3[i] + a1[o] * b2[s] * a3[i] + b1[o] * a2[s] * a3[i])
                }
            }
        }
        let effort = CPEffort(sweeps: 3000, tolerance: 0)
        let chain = try CP(effort: effort).factorize(weight: weight, of: small, ranks: [2], analysis: nil, seed: 1)
        var terms = [1.0, 1.0]
        for (index, link) in chain.links.enumerated() {
            for term in 0..<2 {
                let own =
                    index < 2
                    ? Array(link.weight[term * link.weight.count / 2..<(term + 1) * link.weight.count / 2])
                    : stride(from: term, to: link.weight.count, by: 2).map { link.weight[$0] }
                terms[term] *= squaredNorm(own)
            }
        }
        #expect(terms.reduce(0, +) <= 65 * squaredNorm(weight), "terms of squared norm \(terms)")
        #expect(squaredDistance(weight, try chain.reconstruct(small)) < 0.05 * squaredNorm(weight))
    }

    @Test("several threads may ask one analysis")
    func concurrency() throws {
        let weight = sum(of: 12, seed: 6)
        let analysis = try CP().analyze(weight: weight, of: layer, retainingFactors: false, seed: 1)
        let fresh = try CP().analyze(weight: weight, of: layer, retainingFactors: false, seed: 1)
        let expected = try (1...8).map { try analysis.squaredError(ranks: [$0]) }
        try BLAS.forEachConcurrently(8) { index in
            let error = try fresh.squaredError(ranks: [8 - index])
            #expect(abs(error - expected[7 - index]) <= 1e-3 * analysis.squaredNorm, "rank \(8 - index)")
        }
    }

    private func sum(of rank: Int, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        var weight = [Float](repeating: 0, count: layer.weightCount)
        for _ in 0..<rank {
            let (a, b) = (generator.normals(layer.outChannels), generator.normals(layer.inChannels))
            let (c, d) = (generator.normals(3), generator.normals(3))
            var index = 0
            for x in a {
                for y in b {
                    for z in c {
                        for w in d {
                            weight[index] += x * y * z * w
                            index += 1
                        }
                    }
                }
            }
        }
        return weight
    }
}
