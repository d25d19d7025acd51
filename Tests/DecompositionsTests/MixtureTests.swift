import Decompositions
import LinearAlgebra
import Testing

/// The closed forms of METHOD §4 against the sums that they stand for.
@Suite struct MixtureTests {
    static let seed: UInt64 = 409
    static let subjects = Subject.all.filter { !$0.isCanonicalPolyadic }

    @Test("the mixture's error is that of the mixed truncations", arguments: subjects)
    func bruteForce(_ subject: Subject) throws {
        let weight = subject.layerCase.weight(seed: Self.seed)
        let analysis = try analysis(subject, weight)
        let (candidates, probabilities) = Self.candidates(subject)
        var mixed = [Double](repeating: 0, count: weight.count)
        for (ranks, probability) in zip(candidates, probabilities) {
            for (index, value) in try truncation(subject, weight, ranks).enumerated() {
                mixed[index] += probability * value
            }
        }
        let expected = zip(weight, mixed).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
        let result = try #require(try analysis.mixture(of: candidates, probabilities: probabilities))
        #expect(
            abs(result.squaredError - expected) < 1e-5 * analysis.squaredNorm,
            "\(result.squaredError) instead of \(expected), candidates \(candidates), seed \(Self.seed)")
    }

    @Test("a single candidate of probability 1 has its own error", arguments: subjects)
    func single(_ subject: Subject) throws {
        let analysis = try analysis(subject, subject.layerCase.weight(seed: Self.seed))
        for ranks in Self.candidates(subject).ranks {
            let mixture = try #require(try analysis.mixture(of: [ranks], probabilities: [1]))
            let error = try analysis.squaredError(ranks: ranks)
            #expect(abs(mixture.squaredError - error) < 1e-9 * analysis.squaredNorm, "ranks \(ranks)")
        }
        let nothing = try #require(try analysis.mixture(of: [subject.ranks(1)], probabilities: [0]))
        #expect(abs(nothing.squaredError - analysis.squaredNorm) < 1e-6 * analysis.squaredNorm)
    }

    @Test("the gradient agrees with finite differences", arguments: subjects)
    func gradient(_ subject: Subject) throws {
        let analysis = try analysis(subject, subject.layerCase.weight(seed: Self.seed))
        let (candidates, probabilities) = Self.candidates(subject)
        let result = try #require(try analysis.mixture(of: candidates, probabilities: probabilities))
        for index in candidates.indices {
            let step = 1e-4
            // The error is quadratic in each probability: central differences are exact but for rounding.
            let sides = try [step, -step].map { change in
                var shifted = probabilities
                shifted[index] += change
                return try #require(try analysis.mixture(of: candidates, probabilities: shifted)).squaredError
            }
            let slope = (sides[0] - sides[1]) / (2 * step)
            #expect(
                abs(slope - result.gradient[index]) < 1e-6 * analysis.squaredNorm,
                "candidate \(candidates[index]): \(result.gradient[index]) instead of \(slope), seed \(Self.seed)")
        }
    }

    @Test("CP has no closed form, and says so", arguments: Subject.all.filter(\.isCanonicalPolyadic))
    func none(_ subject: Subject) throws {
        let analysis = try analysis(subject, subject.layerCase.weight(seed: Self.seed))
        #expect(try analysis.mixture(of: [[1], [2]], probabilities: [0.5, 0.5]) == nil)
    }

    @Test("as many probabilities as candidates, and finite ones", arguments: subjects)
    func sizes(_ subject: Subject) throws {
        let analysis = try analysis(subject, subject.layerCase.weight(seed: Self.seed))
        expectCode("decomposition.size-mismatch", "two for one") {
            _ = try analysis.mixture(of: [subject.ranks(1)], probabilities: [0.5, 0.5])
        }
        expectCode("decomposition.size-mismatch", "NaN") {
            _ = try analysis.mixture(of: [subject.ranks(1)], probabilities: [.nan])
        }
    }

    private func analysis(_ subject: Subject, _ weight: [Float]) throws -> any RankAnalysis {
        try subject.decomposition.analyze(weight: weight, of: subject.layer, retainingFactors: false, seed: Self.seed)
    }

    /// Candidates out of order, one twice, with probabilities that do not sum to 1.
    private static func candidates(_ subject: Subject) -> (ranks: [[Int]], probabilities: [Double]) {
        var generator = SeededGenerator(seed: seed)
        let largest = subject.decomposition.largestRanks(for: subject.layer)
        var ranks = (0..<6).map { _ in largest.map { 1 + Int(generator.uniform() * Double($0)) } }
        ranks.append(ranks[2])
        return (ranks, ranks.map { _ in 0.25 * generator.uniform() })
    }

    /// The truncation that the analysis speaks of: the chain's for a pair, the HOSVD's before HOOI for TT and Tucker.
    private func truncation(_ subject: Subject, _ weight: [Float], _ ranks: [Int]) throws -> [Double] {
        let layer = subject.layer
        if ["svd", "spatial-svd"].contains(subject.decomposition.id) {
            let chain = try subject.decomposition.factorize(
                weight: weight, of: layer, ranks: ranks, analysis: nil, seed: Self.seed)
            return try chain.reconstruct(layer).map(Double.init)
        }
        let (out, inner, size) = (layer.outChannelsPerGroup, layer.inChannelsPerGroup, layer.kernelSize)
        var result: [Double] = []
        for group in 0..<layer.groups {
            let count = out * inner * size
            let part = weight[group * count..<(group + 1) * count].map(Double.init)
            var byIn = Matrix<Double>(rows: inner, columns: out * size)
            for o in 0..<out {
                for i in 0..<inner {
                    for s in 0..<size { byIn[i, o * size + s] = part[(o * inner + i) * size + s] }
                }
            }
            let byOut = Matrix(rows: out, columns: inner * size, elements: part)
            let p = try projector(byOut, min(ranks[0], out))
            let q = try projector(byIn, min(ranks[ranks.count - 1], inner))
            let half = try multiply(p.view, byOut.view)
            for o in 0..<out {
                for i in 0..<inner {
                    for s in 0..<size {
                        result.append(
                            (0..<inner).reduce(0) { $0 + q[i, $1] * half[o, $1 * size + s] })
                    }
                }
            }
        }
        return result
    }

    /// The orthogonal projector on the `rank` leading left singular vectors.
    private func projector(_ matrix: Matrix<Double>, _ rank: Int) throws -> Matrix<Double> {
        let vectors = try eigh(try multiply(matrix.view, matrix.transposed), leading: rank).vectors
        return try multiply(vectors.transposed, vectors.view)
    }
}
