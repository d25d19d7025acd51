import Decompositions
import RankSearch
import Testing

@Suite struct FixedRankTests {
    /// A convolution with an untied family first, and a linear layer that is free.
    static func problem(_ ranks: [Int], _ budget: Budget) -> SearchProblem {
        var random = SeededRandom(seed: 12)
        let shape = RandomProblem.convolution(inputs: 32, outputs: 32, extent: 8)
        let other = RandomProblem.linear("", inputs: 64, outputs: 64)
        return RandomProblem.problem(
            [
                RandomProblem.layer(
                    "fixed", shape,
                    [
                        RandomProblem.tucker(shape, &random), RandomProblem.svd(shape, &random),
                        RandomProblem.cp(shape, &random),
                    ],
                    fixedRanks: ranks),
                RandomProblem.layer("free", other, [RandomProblem.svd(other, &random)]),
            ], budget)
    }

    @Test(arguments: SearchRegistry.all.map(\.id)) func theLayerTakesThemUnderTheFirstFamilyThatFits(_ id: String)
        throws
    {
        let strategy = try #require(SearchRegistry.named(id))
        for budget in [Budget(parameterReduction: 0.2), Budget(largestError: 0.01), Budget()] {
            let two = try strategy.search(Self.problem([7, 5], budget), settings: SearchSettings(rankMultiple: 4))
            #expect(two.choices[0].decomposition == "tucker", "\(id) \(budget)")
            #expect(two.choices[0].ranks == [7, 5], "\(id) \(budget)")
            let one = try strategy.search(Self.problem([9], budget), settings: SearchSettings())
            #expect(one.choices[0].decomposition == "svd", "\(id) \(budget)")
            #expect(one.choices[0].ranks == [9], "\(id) \(budget)")
        }
    }

    @Test(arguments: SearchRegistry.all.map(\.id)) func theOtherLayersMakeUpTheBudget(_ id: String) throws {
        let problem = Self.problem([30], Budget(parameterReduction: 0.2))
        let cost = problem.layers[0].cost(problem.layers[0].families[1], [30])
        // Rank 30 of 32 costs more than dense; 28 of it saves little.
        #expect(!cost.beats(problem.layers[0].dense))
        let strategy = try #require(SearchRegistry.named(id))
        let result = try strategy.search(
            Self.problem([28], Budget(parameterReduction: 0.2)), settings: SearchSettings())
        #expect(result.choices[0].ranks == [28])
        #expect(Double(result.removedParameters(problem)) >= 0.2 * Double(problem.total.parameters))
        #expect(result.choices[1].decomposition == "svd")
    }

    @Test(arguments: [
        ([30], "search.rank-does-not-pay"), ([33], "search.rank-out-of-range"),
        ([0], "search.rank-out-of-range"), ([4, 40], "search.rank-out-of-range"), ([1, 2, 3], "search.rank-count"),
        ([], "search.rank-count"),
    ])
    func ranksThatCannotBeAreRefusedByName(_ ranks: [Int], _ code: String) throws {
        for id in SearchRegistry.all.map(\.id) {
            let error = try BudgetTests.error(id, Self.problem(ranks, Budget(parameterReduction: 0.1)))
            #expect(error.code == code, "\(id) \(ranks)")
            #expect(error.layer == "fixed")
            #expect(error.message.contains("'fixed'"))
        }
    }
}
