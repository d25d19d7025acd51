import Decompositions
import Testing

@testable import RankSearch

@Suite struct RelaxedLossTests {
    static func loss(seed: UInt64, _ budget: Budget) throws -> (RelaxedLoss, Refinement) {
        let problem = RandomProblem.mixed(seed: seed, layers: 6, budget: budget)
        let prepared = try PreparedProblem(problem, settings: SearchSettings())
        let refinement = try Refinement(prepared, count: 12, limit: 32, factor: 10, widening: 1)
        return (try RelaxedLoss(refinement), refinement)
    }

    @Test(arguments: UInt64(1)...4, [0.0, 0.4, 1.0])
    func theGradientAgreesWithFiniteDifferences(seed: UInt64, blend: Double) throws {
        let (loss, _) = try Self.loss(seed: seed, Budget(parameterReduction: 0.2, macReduction: 0.2))
        var random = SeededRandom(seed: seed)
        let logits = (0..<loss.logitCount).map { _ in random.uniform(-2...2) }
        let multipliers = [0.7, 1.9]
        var point = loss.emptyPoint()
        _ = try loss.evaluate(logits, multipliers: multipliers, blend: blend, into: &point)
        let gradient = point.gradient
        #expect(gradient.contains { abs($0) > 1e-4 })
        let step = 1e-5
        for index in logits.indices {
            var moved = logits
            moved[index] += step
            let above = try loss.evaluate(moved, multipliers: multipliers, blend: blend, into: &point)
            moved[index] -= 2 * step
            let below = try loss.evaluate(moved, multipliers: multipliers, blend: blend, into: &point)
            let difference = (above - below) / (2 * step)
            #expect(abs(difference - gradient[index]) <= 1e-8, "seed \(seed) blend \(blend) logit \(index)")
        }
    }

    @Test(arguments: UInt64(1)...4) func productsReproduceTheClosedFormOfTheMixture(seed: UInt64) throws {
        let (_, refinement) = try Self.loss(seed: seed, Budget(parameterReduction: 0.2))
        var random = SeededRandom(seed: seed)
        var tried = 0
        for (layer, groups) in zip(refinement.problem.layers, refinement.groups) {
            for (space, group) in zip(layer.spaces, groups) where space.isClosedForm {
                let products = try space.products(group.candidates)
                let weights = group.candidates.map { _ in random.uniform(0...1) }
                let sum = weights.reduce(0, +)
                let probabilities = weights.map { $0 / sum }
                let direct = try #require(
                    try space.analysis.mixture(of: group.candidates.map(\.ranks), probabilities: probabilities))
                let count = probabilities.count
                var form = 0.0
                for row in 0..<count {
                    for column in 0..<count {
                        form += probabilities[row] * products[row * count + column] * probabilities[column]
                    }
                }
                #expect(
                    abs(form - direct.squaredError / space.squaredNorm) <= 1e-12,
                    "seed \(seed) \(layer.id) \(space.decomposition.id)")
                tried += 1
            }
        }
        #expect(tried >= 6)
    }

    /// A vertex of the simplex is a choice: there the loss must be that choice's error and cost.
    @Test func atAVertexTheLossIsThatOfTheChoice() throws {
        let (loss, refinement) = try Self.loss(seed: 2, Budget(parameterReduction: 0.2))
        var logits = [Double](repeating: 0, count: loss.logitCount)
        var error = loss.epsilon
        var share = refinement.problem.rest[0]
        var offset = 0
        for (index, layer) in loss.layers.enumerated() {
            let group = refinement.groups[index][0]
            logits[offset + 1] = 500
            logits[offset + layer.upperOffset] = 500
            error += group.candidates[1].error
            share += refinement.problem.shares(group.candidates[1])[0]
            offset += layer.logitCount
        }
        var point = loss.emptyPoint()
        for blend in [0.0, 1.0] {
            let value = try loss.evaluate(logits, multipliers: [3], blend: blend, into: &point)
            let rankLoss = RelaxedLoss.gamma.logarithm + RelaxedLoss.beta * share.logarithm
            #expect(abs(value - (error.logarithm + 3 * rankLoss)) < 1e-12)
        }
    }

    @Test func theDescentLowersTheLoss() throws {
        let (loss, _) = try Self.loss(seed: 3, Budget(parameterReduction: 0.2))
        var point = loss.emptyPoint()
        let start = point.gradient
        let before = try loss.evaluate(start, multipliers: [0.5], blend: 1, into: &point)
        let probabilities = try ReneOptimizer().minimize(loss, multipliers: [0.5])
        let logits = probabilities.map { max($0, 1e-300).logarithm }
        let after = try loss.evaluate(logits, multipliers: [0.5], blend: 1, into: &point)
        #expect(after < before - 0.01, "\(before) → \(after)")
    }
}
