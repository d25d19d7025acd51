import Decompositions
import RankSearch
import Testing

@Suite struct KnapsackTests {
    /// Least summed error over all ranks of all layers, and the largest change of error by one candidate.
    static func bruteForce(_ problem: SearchProblem) throws -> (least: Double, largestStep: Double)? {
        var options: [[(error: Double, cost: Cost)]] = []
        var largestStep = 0.0
        for layer in problem.layers {
            var own: [(error: Double, cost: Cost)] = []
            for family in layer.families {
                var rank = 1
                while layer.cost(family, [rank]).beats(layer.dense) {
                    let error = try family.analysis.squaredError(ranks: [rank]) / family.analysis.squaredNorm
                    own.append((error, layer.cost(family, [rank])))
                    rank += 1
                }
            }
            own.append((0, layer.dense))
            let errors = own.map(\.error).sorted()
            for (low, high) in zip(errors, errors.dropFirst()) { largestStep = max(largestStep, high - low) }
            options.append(own)
        }
        let parameters = problem.layers.reduce(0) { $0 + $1.dense.parameters }
        let macs = problem.layers.reduce(0) { $0 + $1.dense.macs }
        let allowed = Cost(
            parameters: parameters
                - Int(
                    (problem.budget.parameterReduction.map { $0 * Double(problem.total.parameters) } ?? -1e9).rounded(
                        .up)),
            macs: macs - Int((problem.budget.macReduction.map { $0 * Double(problem.total.macs) } ?? -1e9).rounded(.up))
        )
        var least = Double.infinity
        func descend(_ layer: Int, _ error: Double, _ cost: Cost) {
            if error >= least || cost.parameters > allowed.parameters || cost.macs > allowed.macs { return }
            if layer == options.count {
                least = error
                return
            }
            for option in options[layer] { descend(layer + 1, error + option.error, cost + option.cost) }
        }
        descend(0, 0, Cost(parameters: 0, macs: 0))
        return least.isFinite ? (least, largestStep) : nil
    }

    @Test(arguments: UInt64(1)...12) func isWithinOneCandidateOfBruteForce(seed: UInt64) throws {
        let budgets = [
            Budget(parameterReduction: 0.3), Budget(parameterReduction: 0.55), Budget(macReduction: 0.4),
            Budget(parameterReduction: 0.35, macReduction: 0.35),
        ]
        for budget in budgets {
            let problem = RandomProblem.plain(seed: seed, layers: 4, sizes: 10...26, budget: budget)
            let exact = try #require(try Self.bruteForce(problem), "seed \(seed) \(budget) can be met")
            let result = try Knapsack().search(problem, settings: SearchSettings())
            #expect(result.summedError >= exact.least - 1e-12, "seed \(seed) \(budget)")
            #expect(result.summedError <= exact.least + exact.largestStep, "seed \(seed) \(budget) \(exact)")
        }
    }

    @Test func isNearBruteForceInTheMean() throws {
        var ratios: [Double] = []
        for seed in UInt64(1)...20 {
            for share in [0.25, 0.5] {
                let problem = RandomProblem.plain(
                    seed: seed, layers: 4, sizes: 10...26, budget: Budget(parameterReduction: share))
                guard let exact = try Self.bruteForce(problem), exact.least > 1e-6 else { continue }
                ratios.append(try Knapsack().search(problem, settings: SearchSettings()).summedError / exact.least)
            }
        }
        let mean = ratios.reduce(0, +) / Double(ratios.count)
        let exact = ratios.filter { $0 < 1 + 1e-9 }.count
        #expect(ratios.count >= 30)
        #expect(mean <= 1.05, "mean \(mean), largest \(ratios.max() ?? 0), exact \(exact) of \(ratios.count)")
        #expect(2 * exact >= ratios.count, "mean \(mean), exact \(exact) of \(ratios.count)")
    }

    /// Between samples: the whole space has hundreds of ranks, of which a step sees 64 at most.
    @Test func refinementLosesNothingAgainstAllRanksOfTwoLargeLayers() throws {
        var random = SeededRandom(seed: 3)
        let layers = (0..<2).map { index in
            let shape = RandomProblem.linear("", inputs: 700 + 50 * index, outputs: 640)
            return RandomProblem.layer("layer\(index)", shape, [RandomProblem.svd(shape, &random)])
        }
        for share in [0.2, 0.5, 0.8] {
            let problem = RandomProblem.problem(layers, Budget(parameterReduction: share))
            let exact = try #require(try Self.bruteForce(problem))
            let result = try Knapsack().search(problem, settings: SearchSettings())
            #expect(result.summedError <= exact.least * 1.001 + 1e-12, "\(share): \(result.summedError) \(exact)")
        }
    }

    @Test func aLayerOfExactLowRankIsCutThereForNothing() throws {
        let shape = RandomProblem.linear("", inputs: 40, outputs: 40)
        let values = (0..<40).map { $0 < 5 ? 1.0 : 0 }
        let layer = RandomProblem.layer(
            "low", shape, [SearchFamily(decomposition: NestedSVD(), analysis: SpectrumAnalysis(singularValues: values))]
        )
        let result = try Knapsack().search(
            RandomProblem.problem([layer], Budget(parameterReduction: 0.5)), settings: SearchSettings())
        #expect(result.choices[0].relativeError == 0)
        #expect(result.choices[0].ranks[0] >= 5)
    }

    @Test func recordsCarryTheMultiplier() throws {
        let problem = RandomProblem.plain(
            seed: 1, layers: 4, sizes: 30...60, budget: Budget(parameterReduction: 0.4))
        let steps = try Knapsack().search(problem, settings: SearchSettings()).steps
        #expect(steps.allSatisfy { ($0.multiplier ?? 0) > 0 })
    }
}
