import Decompositions
import LinearAlgebra
import Testing

/// What holds for every decomposition on every layer that it applies to.
@Suite struct SharedSuiteTests {
    static let seed: UInt64 = 20_240_903

    @Test("every decomposition applies to the layers it is for")
    func coverage() {
        let expected = ["svd": 12, "tt": 9, "tucker": 9, "cp": 9, "cp4": 6, "spatial-svd": 7]
        for decomposition in DecompositionRegistry.all {
            let cases = LayerCase.all.filter { decomposition.applies(to: $0.layer) }
            #expect(cases.count == expected[decomposition.id], "\(decomposition.id): \(cases.map(\.name))")
        }
    }

    @Test("is exact at the largest ranks", arguments: Subject.all.filter { !$0.isCanonicalPolyadic })
    func exactAtFullRank(_ subject: Subject) throws {
        let weight = subject.layerCase.weight(seed: Self.seed)
        let ranks = subject.decomposition.largestRanks(for: subject.layer)
        let analysis = try subject.decomposition.analyze(
            weight: weight, of: subject.layer, retainingFactors: false, seed: Self.seed)
        #expect(try analysis.relativeError(ranks: ranks) < 1e-6, "seed \(Self.seed)")
        let chain = try subject.decomposition.factorize(
            weight: weight, of: subject.layer, ranks: ranks, analysis: nil, seed: Self.seed)
        let distance = squaredDistance(weight, try chain.reconstruct(subject.layer)).squareRoot()
        #expect(distance < 1e-5 * squaredNorm(weight).squareRoot(), "ranks \(ranks), seed \(Self.seed)")
    }

    @Test("its error falls with rank", arguments: Subject.all)
    func errorFalls(_ subject: Subject) throws {
        let weight = subject.layerCase.weight(seed: Self.seed)
        let analysis = try subject.decomposition.analyze(
            weight: weight, of: subject.layer, retainingFactors: false, seed: Self.seed)
        let largest = subject.decomposition.largestRanks(for: subject.layer)
        // CP is started from a smaller rank along this ladder, which is what makes its errors fall.
        let ladder = [1, 2, 3, 4, 6, 8, 12, 16]
        var previous = analysis.squaredNorm * (1 + 1e-9)
        for rank in ladder where rank <= largest.max() ?? 1 {
            let ranks = largest.map { min(rank, $0) }
            let error = try analysis.squaredError(ranks: ranks)
            #expect(error <= previous * (1 + 1e-5) + 1e-9, "ranks \(ranks), seed \(Self.seed)")
            #expect(error >= 0)
            previous = error
        }
    }

    @Test("its cost is that of the chain, counted by running it", arguments: Subject.all, [0.3, 1])
    func cost(_ subject: Subject, share: Double) throws {
        let ranks = subject.ranks(share)
        let weight = subject.layerCase.weight(seed: Self.seed)
        let chain = try subject.decomposition.factorize(
            weight: weight, of: subject.layer, ranks: ranks, analysis: nil, seed: Self.seed)
        let cost = subject.decomposition.cost(ranks: ranks, in: subject.layer)
        #expect(chain.links.map(\.shape) == subject.decomposition.links(ranks: ranks, in: subject.layer))
        #expect(cost.parameters == chain.links.reduce(0) { $0 + $1.weight.count })
        #expect(cost.macs == run(chain, subject).multiplications, "ranks \(ranks)")
        let dense = PlainConvolution(subject.layer, weight: weight, subject.layerCase.axes)(input(subject))
        #expect(subject.layer.denseCost.macs == dense.multiplications)
        let carried = chain.links.flatMap(\.shape.axes)
        #expect(carried.sorted() == Array(subject.layer.kernel.indices), "each axis is carried once")
    }

    @Test("the chain equals one dense layer with the reconstructed weight", arguments: Subject.all, [0.3, 0.7])
    func chainEqualsDense(_ subject: Subject, share: Double) throws {
        let ranks = subject.ranks(share)
        let chain = try subject.decomposition.factorize(
            weight: subject.layerCase.weight(seed: Self.seed), of: subject.layer, ranks: ranks, analysis: nil,
            seed: Self.seed)
        let dense = try chain.reconstruct(subject.layer)
        let expected = PlainConvolution(subject.layer, weight: dense, subject.layerCase.axes)(input(subject)).output
        let output = run(chain, subject).output
        #expect(output.extents == expected.extents)
        let scale = expected.values.reduce(0) { max($0, abs($1)) }
        for (index, (a, b)) in zip(output.values, expected.values).enumerated() where abs(a - b) > 1e-5 * scale {
            Issue.record("element \(index): \(a) instead of \(b), ranks \(ranks), seed \(Self.seed)")
            break
        }
    }

    @Test("the analysis states the error of the chain", arguments: Subject.all, [0.2, 0.5, 0.8])
    func statedError(_ subject: Subject, share: Double) throws {
        let ranks = subject.ranks(share)
        let weight = subject.layerCase.weight(seed: Self.seed)
        let norm = squaredNorm(weight)
        let analysis = try subject.decomposition.analyze(
            weight: weight, of: subject.layer, retainingFactors: true, seed: Self.seed)
        let stated = try analysis.squaredError(ranks: ranks)
        for given in [analysis, nil] as [(any RankAnalysis)?] {
            let chain = try subject.decomposition.factorize(
                weight: weight, of: subject.layer, ranks: ranks, analysis: given, seed: Self.seed)
            let measured = squaredDistance(weight, try chain.reconstruct(subject.layer))
            let note: Comment = "stated \(stated), measured \(measured), ranks \(ranks), seed \(Self.seed)"
            #expect(measured <= stated + 1e-6 * norm, note)
            if ["tt", "tucker"].contains(subject.decomposition.id) {
                // An HOSVD cut in two modes has at most twice the least squared error (De Lathauwer et al., 2000).
                #expect(stated <= 2 * measured + 1e-6 * norm, note)
            } else {
                #expect(stated >= measured - 1e-6 * norm, note)
            }
        }
        #expect(abs(analysis.squaredNorm - norm) <= 1e-9 * norm)
    }

    @Test("the same seed gives the same chain", arguments: Subject.all)
    func deterministic(_ subject: Subject) throws {
        let weight = subject.layerCase.weight(seed: Self.seed)
        let ranks = subject.ranks(0.5)
        let chains = try (0..<2).map { _ in
            try subject.decomposition.factorize(
                weight: weight, of: subject.layer, ranks: ranks, analysis: nil, seed: Self.seed)
        }
        #expect(chains[0].links.map(\.weight) == chains[1].links.map(\.weight), "seed \(Self.seed)")
    }

    @Test("refuses NaN and infinity wherever they are, without delay", arguments: Subject.all)
    func nonFinite(_ subject: Subject) throws {
        let weight = subject.layerCase.weight(seed: Self.seed)
        let clock = ContinuousClock()
        for position in [0, 1, weight.count / 2, weight.count - 1] {
            for value in [Float.nan, .infinity, -.infinity] {
                var broken = weight
                broken[position] = value
                let time = clock.measure {
                    expectCode("decomposition.non-finite-weight", "\(value) at \(position)") {
                        _ = try subject.decomposition.analyze(
                            weight: broken, of: subject.layer, retainingFactors: true, seed: 1)
                    }
                    expectCode("decomposition.non-finite-weight", "\(value) at \(position)") {
                        _ = try subject.decomposition.factorize(
                            weight: broken, of: subject.layer, ranks: subject.ranks(0.5), analysis: nil, seed: 1)
                    }
                }
                #expect(time < .seconds(5))
            }
        }
    }

    @Test("refuses ranks out of range and weights of another size", arguments: Subject.all)
    func sizes(_ subject: Subject) throws {
        let weight = subject.layerCase.weight(seed: Self.seed)
        let largest = subject.decomposition.largestRanks(for: subject.layer)
        let wrong = [largest.map { _ in 0 }, largest.map { $0 + 1 }, largest + [1], []]
        let analysis = try subject.decomposition.analyze(
            weight: weight, of: subject.layer, retainingFactors: false, seed: 1)
        for ranks in wrong {
            expectCode("decomposition.rank-out-of-range", "\(ranks)") {
                _ = try subject.decomposition.factorize(
                    weight: weight, of: subject.layer, ranks: ranks, analysis: nil, seed: 1)
            }
            expectCode("decomposition.rank-out-of-range", "\(ranks)") { _ = try analysis.squaredError(ranks: ranks) }
        }
        expectCode("decomposition.size-mismatch", "one element missing") {
            _ = try subject.decomposition.analyze(
                weight: Array(weight.dropLast()), of: subject.layer, retainingFactors: false, seed: 1)
        }
    }

    private func input(_ subject: Subject) -> PlainConvolution.Image {
        var generator = SeededGenerator(seed: Self.seed)
        let extents = subject.layer.kind == .linear ? [] : subject.layer.inputExtent
        let count = subject.layer.inChannels * extents.reduce(1, *)
        return .init(extents: extents, values: (0..<count).map { _ in generator.normal() })
    }

    private func run(
        _ chain: FactorChain, _ subject: Subject
    ) -> (output: PlainConvolution.Image, multiplications: Int) {
        var image = input(subject)
        var count = 0
        for link in chain.links {
            let (output, more) = PlainConvolution(link, of: subject.layer, subject.layerCase.axes)(image)
            image = output
            count += more
        }
        return (image, count)
    }
}

/// Records an issue unless `body` throws an error of decomposition with this code.
func expectCode(_ code: String, _ note: String, _ body: () throws -> Void) {
    do {
        try body()
        Issue.record("no error where \(code) was expected: \(note)")
    } catch let error as DecompositionError {
        #expect(error.code == code, "\(note)")
    } catch {
        Issue.record("\(error) instead of \(code): \(note)")
    }
}
