import LinearAlgebra
import Testing

@Suite struct RandomTests {
    @Test("the same seed gives the same numbers, another seed others")
    func determinism() {
        var (a, b, c) = (SeededGenerator(seed: 7), SeededGenerator(seed: 7), SeededGenerator(seed: 8))
        let (x, y, z) = (a.normals(50), b.normals(50), c.normals(50))
        #expect(x == y && x != z)
    }

    /// From the reference implementation of SplitMix64 with seed 0 as state of the reference xoshiro256**.
    @Test("the first word follows from the definition")
    func definition() {
        var state: [UInt64] = []
        var word: UInt64 = 0
        for _ in 0..<4 {
            word &+= 0x9e37_79b9_7f4a_7c15
            var z = word
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            state.append(z ^ (z >> 31))
        }
        #expect(state[0] == 0xe220_a839_7b1d_cdaf)
        let product = state[1] &* 5
        let rotated = (product << 7) | (product >> 57)
        var generator = SeededGenerator(seed: 0)
        #expect(generator.next() == rotated &* 9)
    }

    @Test("normal deviates have the moments of a normal distribution")
    func moments() {
        var generator = SeededGenerator(seed: freshSeed)
        let count = 100_000
        let values = (0..<count).map { _ in generator.normal() }
        let moments = (1...4).map { power in
            values.reduce(0.0) { sum, value in sum + (0..<power).reduce(1.0) { product, _ in product * value } }
                / Double(count)
        }
        // Six standard deviations of each moment's estimate.
        for (moment, (expected, deviation)) in zip(moments, [(0.0, 1.0), (1, 2), (0, 15), (3, 96)]) {
            #expect(abs(moment - expected) < 6 * (deviation / Double(count)).squareRoot(), "seed \(freshSeed)")
        }
    }

    @Test("uniform deviates lie in [0, 1) and fill it")
    func uniform() {
        var generator = SeededGenerator(seed: freshSeed)
        let values = (0..<10_000).map { _ in generator.uniform() }
        #expect(
            values.allSatisfy { 0..<1 ~= $0 } && Set(values.map { Int($0 * 100) }).count == 100, "seed \(freshSeed)")
    }
}
