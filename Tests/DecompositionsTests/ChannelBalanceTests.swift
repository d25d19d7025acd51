import Decompositions
import Testing

@Suite("Channel balance")
struct ChannelBalanceTests {
    private static func weight(_ shape: LayerShape, seed: UInt64) -> [Float] {
        var state = seed
        return (0..<shape.weightCount).map { index in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let column = index / shape.kernelSize % shape.inChannelsPerGroup
            // Input channels of very different sizes.
            return (Float(Int32(truncatingIfNeeded: state >> 33)) / Float(1 << 30) - 1) * (column == 1 ? 100 : 1)
        }
    }

    @Test(
        "is taken back from the factors exactly, for every decomposition that is exact at full rank",
        arguments: [
            LayerShape(kind: .linear, inChannels: 12, outChannels: 8),
            LayerShape(kind: .convolution, inChannels: 8, outChannels: 6, kernel: [3, 3], strides: [1, 1]),
            LayerShape(
                kind: .convolution, inChannels: 8, outChannels: 12, groups: 2, kernel: [3, 5], strides: [1, 1]),
        ])
    func restores(shape: LayerShape) throws {
        let weight = Self.weight(shape, seed: 5)
        let balance = ChannelBalance(of: weight, layer: shape)
        let balanced = balance.balanced(weight, layer: shape)
        for id in ["svd", "tt", "tucker", "spatial-svd"] {
            let decomposition = try #require(DecompositionRegistry.named(id))
            guard decomposition.applies(to: shape) else { continue }
            let chain = try decomposition.factorize(
                weight: balanced, of: shape, ranks: decomposition.largestRanks(for: shape), analysis: nil, seed: 1)
            let product = try balance.restored(chain, layer: shape).reconstruct(shape)
            for (index, pair) in zip(weight, product).enumerated() {
                #expect(abs(pair.0 - pair.1) <= 1e-4 * max(1, abs(pair.0)), "\(id), \(shape), element \(index)")
            }
        }
    }

    @Test("narrows the spread of the channels' norms and scales by powers of two only")
    func narrows() {
        let shape = LayerShape(kind: .linear, inChannels: 4, outChannels: 6)
        let weight = Self.weight(shape, seed: 9)
        let balance = ChannelBalance(of: weight, layer: shape)
        func spread(_ weight: [Float]) -> Float {
            let norms = (0..<4).map { column in (0..<6).reduce(Float(0)) { $0 + abs(weight[$1 * 4 + column]) } }
            return (norms.max() ?? 0) / (norms.min() ?? 1)
        }
        #expect(spread(balance.balanced(weight, layer: shape)) < spread(weight) / 4)
        #expect((balance.inScales + balance.outScales).allSatisfy { $0.significand == 1 })
    }

    @Test("leaves zeros alone: a weight of zeros, and a channel of zeros")
    func zeros() {
        let shape = LayerShape(kind: .linear, inChannels: 3, outChannels: 2)
        let zero = [Float](repeating: 0, count: 6)
        #expect(ChannelBalance(of: zero, layer: shape).balanced(zero, layer: shape) == zero)
        let half: [Float] = [1, 0, 2, 3, 0, 4]
        let balance = ChannelBalance(of: half, layer: shape)
        #expect((balance.inScales + balance.outScales).allSatisfy { $0.isFinite && $0 > 0 })
    }
}
