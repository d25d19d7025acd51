import Decompositions
import RankSearch
import Testing

/// An analysis whose figures go bad in one place.
struct BrokenAnalysis: RankAnalysis {
    enum Fault: String, CaseIterable, Sendable { case norm, error, mixture, gradient }

    var sound: SpectrumAnalysis
    var fault: Fault
    var value: Double

    var squaredNorm: Double { fault == .norm ? value : sound.squaredNorm }

    func squaredError(ranks: [Int]) throws -> Double {
        fault == .error ? value : try sound.squaredError(ranks: ranks)
    }

    func mixture(of ranks: [[Int]], probabilities: [Double]) throws -> (squaredError: Double, gradient: [Double])? {
        guard var mixture = try sound.mixture(of: ranks, probabilities: probabilities) else { return nil }
        if fault == .mixture { mixture.squaredError = value }
        if fault == .gradient { mixture.gradient[0] = value }
        return mixture
    }
}

@Suite struct NonFiniteTests {
    @Test(arguments: BrokenAnalysis.Fault.allCases, [Double.nan, .infinity, -.infinity])
    func aFigureThatIsNotFiniteIsAnErrorThatNamesTheLayer(_ fault: BrokenAnalysis.Fault, _ value: Double) throws {
        for strategy in SearchRegistry.all {
            // Only the relaxation looks at mixtures.
            if strategy.id != "rene", fault == .mixture || fault == .gradient { continue }
            for budget in [Budget(parameterReduction: 0.2), Budget(largestError: 0.2)] {
                if budget.largestError != nil, fault == .mixture || fault == .gradient { continue }
                if strategy.id == "uniform", fault == .error, budget.largestError == nil { continue }
                var problem = RandomProblem.plain(seed: 3, layers: 4, sizes: 30...50, budget: budget)
                let sound = SpectrumAnalysis(singularValues: (1...30).map { 1 / Double($0) })
                problem.layers[2].families[0].analysis = BrokenAnalysis(sound: sound, fault: fault, value: value)
                let error = try BudgetTests.error(strategy.id, problem)
                #expect(error.code == "search.non-finite", "\(strategy.id) \(fault) \(value)")
                #expect(error.layer == "layer2", "\(strategy.id) \(fault) \(value)")
                #expect(error.message.contains("'layer2'"))
            }
        }
    }

    @Test(arguments: SearchRegistry.all.map(\.id)) func aWeightOfZerosHasNoErrorAndIsCutFirst(_ id: String) throws {
        let shape = RandomProblem.linear("", inputs: 50, outputs: 40)
        let zeros = SpectrumAnalysis(singularValues: [Double](repeating: 0, count: 40))
        let layer = RandomProblem.layer("zeros", shape, [SearchFamily(decomposition: NestedSVD(), analysis: zeros)])
        let problem = RandomProblem.problem([layer], Budget(parameterReduction: 0.3))
        let result = try #require(SearchRegistry.named(id)).search(problem, settings: SearchSettings())
        #expect(result.summedError == 0)
        #expect(result.choices[0].decomposition == "svd")
    }
}
