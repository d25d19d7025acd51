import Decompositions
import RankSearch
import Testing

@Suite struct BudgetTests {
    static let strategies = SearchRegistry.all.map(\.id)

    static func error(_ strategy: String, _ problem: SearchProblem, multiple: Int = 1) throws -> SearchError {
        let strategy = try #require(SearchRegistry.named(strategy))
        var caught: SearchError?
        do {
            _ = try strategy.search(problem, settings: SearchSettings(rankMultiple: multiple))
        } catch let error as SearchError {
            caught = error
        }
        return try #require(caught, "\(strategy.id) should refuse")
    }

    @Test(arguments: strategies) func anUnreachableBudgetSaysWhatCanBeReached(_ id: String) throws {
        var problem = RandomProblem.plain(
            seed: 1, layers: 5, sizes: 30...60, budget: Budget(parameterReduction: 0.99, macReduction: 0.1))
        let error = try Self.error(id, problem)
        #expect(error.code == "search.unreachable")
        #expect(error.message.contains("parameters: 99.00 % asked, at most "), "\(error)")
        #expect(error.message.contains("macs: 10.00 % asked, at most "), "\(error)")
        #expect(!error.remedy.isEmpty)
        // What is said to be reachable is, and a hair more is not.
        let reachable = try #require(error.reachable?.parameterReduction)
        problem.budget = Budget(parameterReduction: reachable)
        let strategy = try #require(SearchRegistry.named(id))
        let result = try strategy.search(problem, settings: SearchSettings())
        #expect(result.choices.allSatisfy { $0.ranks == [1] })
        problem.budget = Budget(parameterReduction: reachable + 1e-4)
        #expect(try Self.error(id, problem).code == "search.unreachable")
    }

    @Test(arguments: strategies) func bothBudgetsHoldAtOnceWhereTheyPullApart(_ id: String) throws {
        var random = SeededRandom(seed: 9)
        // Many parameters and few MACs, and the reverse.
        let shapes = [
            RandomProblem.linear("", inputs: 200, outputs: 200), RandomProblem.linear("", inputs: 180, outputs: 150),
            RandomProblem.convolution(inputs: 24, outputs: 24, extent: 32),
            RandomProblem.convolution(inputs: 30, outputs: 20, extent: 32),
        ]
        let layers = shapes.enumerated().map {
            RandomProblem.layer("layer\($0)", $1, [RandomProblem.svd($1, &random)])
        }
        let problem = RandomProblem.problem(layers, Budget(parameterReduction: 0.45, macReduction: 0.45))
        let strategy = try #require(SearchRegistry.named(id))
        let result = try strategy.search(problem, settings: SearchSettings())
        #expect(Double(result.removedParameters(problem)) >= 0.45 * Double(problem.total.parameters))
        #expect(Double(result.removedMACs(problem)) >= 0.45 * Double(problem.total.macs))
    }

    @Test(arguments: strategies) func theErrorBoundAloneTakesTheCheapestCandidateWithinIt(_ id: String) throws {
        for seed in UInt64(1)...3 {
            let problem = RandomProblem.plain(
                seed: seed, layers: 8, sizes: 20...80, budget: Budget(largestError: 0.25))
            let strategy = try #require(SearchRegistry.named(id))
            let result = try strategy.search(problem, settings: SearchSettings())
            var factorized = 0
            for (layer, choice) in zip(problem.layers, result.choices) {
                let family = layer.families[0]
                var rank = 1
                while try family.analysis.relativeError(ranks: [rank]) > 0.25 { rank += 1 }
                let pays = layer.cost(family, [rank]).beats(layer.dense)
                #expect(choice.ranks == (pays ? [rank] : []), "\(id) seed \(seed) \(layer.id)")
                factorized += pays ? 1 : 0
            }
            #expect(factorized > 0)
        }
    }

    @Test(arguments: ["rene", "knapsack"]) func theErrorBoundPicksTheCheapestPairOfTwoRanks(_ id: String) throws {
        var random = SeededRandom(seed: 21)
        let shape = RandomProblem.convolution(inputs: 24, outputs: 20, extent: 6)
        let layer = RandomProblem.layer("pair", shape, [RandomProblem.tucker(shape, &random)])
        let problem = RandomProblem.problem([layer], Budget(largestError: 0.4))
        let result = try #require(SearchRegistry.named(id)).search(problem, settings: SearchSettings())
        func price(_ cost: Cost) -> Double {
            Double(cost.parameters) / Double(problem.total.parameters) + Double(cost.macs) / Double(problem.total.macs)
        }
        var least = price(layer.dense)
        for first in 1...20 {
            for second in 1...24 {
                let cost = layer.cost(layer.families[0], [first, second])
                let error = try layer.families[0].analysis.relativeError(ranks: [first, second])
                if error <= 0.4, cost.beats(layer.dense) { least = min(least, price(cost)) }
            }
        }
        #expect(least < price(layer.dense))
        #expect(abs(price(result.choices[0].cost) - least) < 1e-12, "\(result.choices[0])")
    }

    @Test(arguments: strategies) func errorBoundAndReductionHoldTogetherOrAreRefused(_ id: String) throws {
        var refused = 0
        var met = 0
        for share in [0.05, 0.15, 0.9] {
            let problem = RandomProblem.mixed(
                seed: 6, layers: 9, budget: Budget(parameterReduction: share, largestError: 0.3))
            guard let result = try SearchPropertiesTests.search(id, problem) else {
                refused += 1
                continue
            }
            met += 1
            #expect(Double(result.removedParameters(problem)) >= share * Double(problem.total.parameters), "\(id)")
            #expect(result.choices.allSatisfy { $0.relativeError <= 0.3 }, "\(id) \(share)")
        }
        #expect(met >= 1, "\(id)")
        #expect(refused >= 1, "\(id)")
    }

    @Test(arguments: strategies) func withoutABudgetEveryLayerStaysDense(_ id: String) throws {
        let problem = RandomProblem.mixed(seed: 1, layers: 4, budget: Budget())
        let result = try #require(SearchRegistry.named(id)).search(problem, settings: SearchSettings())
        #expect(result.choices.allSatisfy { $0.decomposition == nil })
    }

    @Test(arguments: strategies) func aModelWithoutLayersRemovesNothing(_ id: String) throws {
        let total = ModelCost(parameters: 100, macs: 100, bytes: 400)
        let strategy = try #require(SearchRegistry.named(id))
        var problem = SearchProblem(layers: [], total: total, budget: Budget(parameterReduction: 0))
        #expect(try strategy.search(problem, settings: SearchSettings()).choices.isEmpty)
        problem.budget = Budget(parameterReduction: 0.1)
        #expect(try Self.error(id, problem).reachable?.parameterReduction == 0)
    }

    @Test(arguments: [
        Budget(parameterReduction: -0.1), Budget(macReduction: 1.5), Budget(byteReduction: .nan),
        Budget(largestError: -1), Budget(largestError: .nan), Budget(largestError: .infinity),
    ])
    func nonsenseBudgetsAreRefused(_ budget: Budget) throws {
        let problem = RandomProblem.plain(seed: 1, layers: 2, sizes: 20...30, budget: budget)
        for id in Self.strategies { #expect(try Self.error(id, problem).code == "search.bad-budget", "\(id)") }
    }

    @Test func aRankMultipleBelowOneAndAModelSmallerThanItsLayersAreRefused() throws {
        var problem = RandomProblem.plain(seed: 1, layers: 2, sizes: 20...30, budget: Budget(parameterReduction: 0.1))
        #expect(try Self.error("rene", problem, multiple: 0).code == "search.bad-rank-multiple")
        problem.total.parameters = 10
        #expect(try Self.error("rene", problem).code == "search.bad-total")
    }
}
