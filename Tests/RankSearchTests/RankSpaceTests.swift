import Decompositions
import Testing

@testable import RankSearch

@Suite struct RankSpaceTests {
    static func space(
        _ layer: SearchLayer, family: Int = 0, multiple: Int = 1, largestError: Double? = nil
    ) throws -> RankSpace? {
        try RankSpace(
            layer: layer, family: family, kinds: [.parameters, .macs], rankMultiple: multiple,
            largestError: largestError)
    }

    @Test(arguments: [(768, 768, 383), (3072, 768, 614), (100, 10, 9), (2, 2, 0), (1, 50, 0)])
    func theLargestRankIsJustBelowBreakEven(inputs: Int, outputs: Int, largest: Int) throws {
        var random = SeededRandom(seed: 1)
        let shape = RandomProblem.linear("", inputs: inputs, outputs: outputs)
        let layer = RandomProblem.layer("a", shape, [RandomProblem.svd(shape, &random)])
        let space = try Self.space(layer)
        #expect(space?.largestUseful.first ?? 0 == largest)
        #expect(space?.axes.first?.last ?? 0 == largest)
    }

    @Test(arguments: [1, 4, 8, 100, 1000]) func ranksAreMultiplesAndTheLastIsTheLargestUseful(_ multiple: Int) throws {
        var random = SeededRandom(seed: 1)
        let shape = RandomProblem.linear("", inputs: 768, outputs: 768)
        let layer = RandomProblem.layer("a", shape, [RandomProblem.svd(shape, &random)])
        let space = try #require(try Self.space(layer, multiple: multiple))
        #expect(space.axes[0].last == 383)
        #expect(space.axes[0].dropLast().allSatisfy { $0 % multiple == 0 })
        #expect(space.axes[0] == space.axes[0].sorted())
        #expect(Set(space.axes[0]).count == space.axes[0].count)
    }

    @Test func sharedWeightsCountParametersOnceAndMACsByUse() throws {
        var random = SeededRandom(seed: 1)
        let shape = RandomProblem.linear("", inputs: 40, outputs: 60, tokens: 7)
        let layer = RandomProblem.layer("a", shape, uses: 3, [RandomProblem.svd(shape, &random)])
        let space = try #require(try Self.space(layer))
        #expect(space.cost([5]) == Cost(parameters: 500, macs: 500 * 7 * 3))
    }

    /// The same weight on 7 and on 14 tokens: MACs in proportion to the dense layer's.
    @Test func usesAtDifferentExtentsScaleLikeTheDenseLayer() throws {
        var random = SeededRandom(seed: 1)
        let shape = RandomProblem.linear("", inputs: 40, outputs: 60, tokens: 14)
        var layer = RandomProblem.layer("a", shape, [RandomProblem.svd(shape, &random)])
        layer.uses = 2
        layer.dense.macs = 40 * 60 * 21
        let space = try #require(try Self.space(layer))
        #expect(space.cost([5]) == Cost(parameters: 500, macs: 500 * 21))
    }

    /// A strided chain may cost more MACs than it saves: its first link runs at the input's resolution.
    @Test func aRankThatSavesParametersButNoMACsIsNoCandidate() throws {
        var random = SeededRandom(seed: 1)
        let shape = RandomProblem.convolution(inputs: 64, outputs: 64, extent: 8, stride: 2)
        let layer = RandomProblem.layer("a", shape, [RandomProblem.tucker(shape, &random)])
        let space = try #require(try Self.space(layer))
        let sampling = space.wholeSpace(count: 32)
        let candidates = try space.candidates(sampling, always: [])
        #expect(!candidates.isEmpty)
        #expect(candidates.allSatisfy { $0.cost.beats(layer.dense) })
        let parametersOnly = layer.cost(layer.families[0], [34, 64])
        #expect(parametersOnly.parameters < layer.dense.parameters && parametersOnly.macs > layer.dense.macs)
        #expect(try space.candidate([34, 64]) == nil)
    }

    @Test(arguments: [(256, 256), (512, 512), (2048, 512)])
    func pairsOfRanksAreFewUndominatedAndCheapToFind(outputs: Int, inputs: Int) throws {
        let counter = CallCounter()
        var random = SeededRandom(seed: 1)
        let shape = RandomProblem.convolution(inputs: inputs, outputs: outputs, extent: 7)
        let layer = RandomProblem.layer("a", shape, [RandomProblem.tucker(shape, &random, counter: counter)])
        let space = try #require(try Self.space(layer))
        var sampling = space.wholeSpace(count: 63)
        var steps = 0
        while true {
            let before = counter.errors
            let candidates = try space.candidates(sampling, always: [])
            steps += 1
            #expect((1...64).contains(candidates.count), "step \(steps)")
            #expect(counter.errors - before <= 700, "step \(steps)")
            for one in candidates {
                let dominated = candidates.contains {
                    $0.error < one.error && $0.cost.parameters < one.cost.parameters && $0.cost.macs < one.cost.macs
                }
                #expect(!dominated || one.ranks == sampling.centre, "step \(steps) \(one.ranks)")
            }
            if sampling.isFinest { break }
            sampling = sampling.refined(around: candidates[candidates.count / 2].ranks, factor: 10, widening: 2)
        }
        #expect(steps <= 4)
    }

    /// METHOD §3: 100…800 by 100 → 200 → [150, 250] by 10 → 240 → [235, 245] by 1.
    @Test func refinementFollowsThePublishedExample() {
        let first = Sampling(intervals: [100], centre: nil, reach: [8])
        let second = first.refined(around: [200], factor: 10, widening: 1)
        #expect(second == Sampling(intervals: [10], centre: [200], reach: [50]))
        let third = second.refined(around: [240], factor: 10, widening: 1)
        #expect(third == Sampling(intervals: [1], centre: [240], reach: [5]))
        #expect(third.isFinest)
    }

    @Test(arguments: [nil, 0.2, 0.5] as [Double?]) func theCheapestPairsAreTheStaircase(_ bound: Double?) throws {
        var random = SeededRandom(seed: 5)
        let shape = RandomProblem.convolution(inputs: 18, outputs: 22, extent: 5)
        let layer = RandomProblem.layer("a", shape, [RandomProblem.tucker(shape, &random)])
        let space = try #require(try Self.space(layer, largestError: bound))
        let cheapest = try space.cheapest()
        for kind in [Resource.Kind.parameters, .macs] {
            var least = Int.max
            for first in 1...22 {
                for second in 1...18 {
                    guard let candidate = try space.candidate([first, second]) else { continue }
                    least = min(least, Resource.amount(of: candidate.cost, elementBytes: 4, kind: kind))
                }
            }
            let found = cheapest.map { Resource.amount(of: $0.cost, elementBytes: 4, kind: kind) }.min() ?? .max
            #expect(found == least, "\(kind) \(String(describing: bound))")
        }
    }
}
