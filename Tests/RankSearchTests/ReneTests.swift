import Decompositions
import RankSearch
import Testing

@Suite struct ReneTests {
    static let seeds = UInt64(1)...8
    static let shares = [0.2, 0.4, 0.6]

    /// Neither is exact, so the factor is a figure: over these 48 problems `rene / knapsack` is 1.01 in the mean, and
    /// 1.27 at most.
    @Test func summedErrorIsNearKnapsacksAndBelowUniforms() throws {
        var ratios: [Double] = []
        for seed in Self.seeds {
            for share in Self.shares {
                let budget = Budget(parameterReduction: share)
                let problems = [
                    RandomProblem.plain(seed: seed, layers: 12, sizes: 32...200, budget: budget),
                    RandomProblem.mixed(seed: seed, layers: 12, budget: budget),
                ]
                for (kind, problem) in zip(["plain", "mixed"], problems) {
                    let place: Comment = "\(kind), seed \(seed), share \(share)"
                    let rene = try Rene().search(problem, settings: SearchSettings()).summedError
                    let knapsack = try Knapsack().search(problem, settings: SearchSettings()).summedError
                    ratios.append(rene / knapsack)
                    #expect(rene <= 1.5 * knapsack, place)
                    for manual in ["uniform", "energy"] {
                        guard let other = try SearchPropertiesTests.search(manual, problem) else { continue }
                        #expect(knapsack <= other.summedError * (1 + 1e-9), "\(manual), \(place)")
                    }
                    if let uniform = try SearchPropertiesTests.search("uniform", problem)?.summedError {
                        #expect(rene <= uniform, place)
                    }
                }
            }
        }
        let mean = ratios.reduce(0, +) / Double(ratios.count)
        #expect(mean <= 1.03, "mean of rene / knapsack over \(ratios.count) problems: \(mean)")
        #expect(mean >= 0.99, "knapsack should not lose: \(mean)")
    }

    @Test func probabilitiesOfALayersRecordsSumToOneAndStepsShrink() throws {
        let problem = RandomProblem.mixed(seed: 2, layers: 6, budget: Budget(parameterReduction: 0.3))
        let steps = try Rene().search(problem, settings: SearchSettings()).steps
        let last = try #require(steps.map(\.step).max())
        #expect(last >= 2)
        for step in 1...last {
            for layer in problem.layers {
                let records = steps.filter { $0.step == step && $0.layer == layer.id }
                let sum = records.flatMap(\.probabilities).reduce(0, +)
                #expect(abs(sum - 1) < 1e-9, "step \(step) \(layer.id)")
                #expect(records.last?.decomposition == nil)
                #expect(records.last?.candidates == [[]], "the dense layer is the explicit last candidate")
                for record in records {
                    #expect(record.probabilities.count == record.candidates.count)
                    #expect((record.multiplier ?? 0) > 0)
                }
            }
        }
    }

    @Test func theLastStepResolvesSingleRanks() throws {
        var random = SeededRandom(seed: 7)
        let layers = (0..<3).map { index in
            let shape = RandomProblem.linear("", inputs: 768, outputs: 768)
            return RandomProblem.layer("layer\(index)", shape, [RandomProblem.svd(shape, &random)])
        }
        let problem = RandomProblem.problem(layers, Budget(parameterReduction: 0.5))
        let steps = try Rene().search(problem, settings: SearchSettings()).steps
        let last = try #require(steps.map(\.step).max())
        for record in steps where record.step == last && record.decomposition != nil {
            let ranks = record.candidates.map { $0[0] }
            #expect(zip(ranks, ranks.dropFirst()).contains { $1 - $0 == 1 }, "\(record)")
        }
    }

    /// The cost of the search, counted: one mixture for each candidate of each step and one to learn whether there is a
    /// closed form, however long the descents are.
    @Test func mixturesAreEvaluatedOncePerCandidate() throws {
        let counter = CallCounter()
        var random = SeededRandom(seed: 11)
        let layers = (0..<74).map { index in
            let shape = RandomProblem.linear("", inputs: index % 6 == 0 ? 3072 : 768, outputs: 768, tokens: 128)
            return RandomProblem.layer("layer\(index)", shape, [RandomProblem.svd(shape, &random, counter: counter)])
        }
        let problem = RandomProblem.problem(layers, Budget(parameterReduction: 0.5))
        let steps = try Rene().search(problem, settings: SearchSettings()).steps
        let candidates = steps.filter { $0.decomposition != nil }.reduce(0) { $0 + $1.candidates.count }
        #expect(counter.mixtures == candidates + layers.count)
        #expect(counter.mixtures <= 74 * 60, "\(counter.mixtures) mixtures for 74 layers")
        #expect(counter.errors <= 74 * 100, "\(counter.errors) errors for 74 layers")
    }

    /// A family without a closed form costs a fit for each error, so it is sampled sparsely.
    @Test(arguments: SearchRegistry.all.map(\.id)) func fitsAreFew(_ id: String) throws {
        let counter = CallCounter()
        var random = SeededRandom(seed: 4)
        let layers = (0..<6).map { index in
            let shape = RandomProblem.convolution(inputs: 128, outputs: 128, extent: 8)
            return RandomProblem.layer("layer\(index)", shape, [RandomProblem.cp(shape, &random, counter: counter)])
        }
        let problem = RandomProblem.problem(layers, Budget(parameterReduction: 0.5))
        _ = try #require(try SearchPropertiesTests.search(id, problem))
        #expect(counter.errors <= 6 * 30, "\(id): \(counter.errors) fits for 6 layers")
    }
}
