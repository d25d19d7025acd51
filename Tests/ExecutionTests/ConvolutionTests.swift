import Execution
import LinearAlgebra
import Testing

@Suite("Convolution")
struct ConvolutionTests {
    /// A shape by its parts, for random ones to be printed.
    struct Case: Sendable, CustomTestStringConvertible {
        var batch = 2
        var channels = (3, 5)
        var groups = 1
        var input: [Int]
        var kernel: [Int]
        var strides: [Int]?
        var dilations: [Int]?
        var before: [Int]?
        var after: [Int]?

        var shape: ConvolutionShape {
            get throws {
                try ConvolutionShape(
                    batch: batch, inChannels: channels.0, outChannels: channels.1, groups: groups, input: input,
                    kernel: kernel, strides: strides, dilations: dilations, padsBefore: before, padsAfter: after)
            }
        }

        var testDescription: String {
            "\(batch)×\(channels) groups \(groups) input \(input) kernel \(kernel) strides \(strides ?? []) "
                + "dilations \(dilations ?? []) pads \(before ?? []) \(after ?? [])"
        }
    }

    static let chosen = [
        Case(input: [8, 8], kernel: [3, 3], before: [1, 1], after: [1, 1]),
        Case(batch: 3, channels: (16, 16), input: [32, 32], kernel: [3, 3], before: [1, 1], after: [1, 1]),
        Case(channels: (8, 24), input: [9, 7], kernel: [3, 3], strides: [2, 2], before: [1, 1], after: [1, 1]),
        Case(channels: (4, 8), input: [9, 7], kernel: [1, 1], strides: [2, 2]),
        Case(input: [9, 12], kernel: [2, 3], strides: [3, 1], dilations: [2, 3], before: [0, 2], after: [3, 5]),
        Case(channels: (12, 12), groups: 12, input: [10, 11], kernel: [3, 3], before: [1, 1], after: [1, 1]),
        Case(
            channels: (8, 16), groups: 4, input: [6, 6], kernel: [3, 3], strides: [1, 2], before: [2, 0], after: [0, 2]),
        Case(input: [17], kernel: [5], before: [2], after: [2]),
        Case(input: [20], kernel: [4], strides: [3], dilations: [2], before: [5], after: [0]),
        Case(
            channels: (2, 9), input: [5, 4, 6], kernel: [3, 2, 3], strides: [2, 1, 1], before: [1, 0, 1],
            after: [0, 1, 1]),
        Case(batch: 1, channels: (1, 1), input: [1, 1], kernel: [1, 1]),
        Case(
            batch: 5, channels: (3, 64), input: [12, 12], kernel: [7, 7], strides: [2, 2], before: [3, 3],
            after: [3, 3]),
        Case(input: [4, 4], kernel: [3, 3], before: [4, 4], after: [4, 4]),
        Case(input: [6, 6], kernel: [1, 1], strides: [4, 5]),
    ]

    static let random: [Case] = {
        var generator = SeededGenerator(seed: 7)
        var cases: [Case] = []
        while cases.count < 60 {
            let axes = Int.random(in: 1...3, using: &generator)
            func draw(_ range: ClosedRange<Int>) -> [Int] {
                (0..<axes).map { _ in Int.random(in: range, using: &generator) }
            }
            let groups = Int.random(in: 1...3, using: &generator)
            let channels = (
                groups * Int.random(in: 1...5, using: &generator), groups * Int.random(in: 1...9, using: &generator)
            )
            let one = Case(
                batch: Int.random(in: 1...3, using: &generator), channels: channels, groups: groups,
                input: draw(axes == 3 ? 1...6 : 1...14), kernel: draw(1...4), strides: draw(1...3),
                dilations: draw(1...3),
                before: draw(0...3), after: draw(0...3))
            if (try? one.shape) != nil { cases.append(one) }
        }
        return cases
    }()

    static func numbers(_ count: Int, _ seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in Float(generator.normal()) }
    }

    /// Calls `body` with the positions in X, W and Y of each product of the definition.
    static func products(_ shape: ConvolutionShape, _ body: (Int, Int, Int) -> Void) {
        func indices(_ extents: [Int]) -> [[Int]] {
            extents.reduce([[]]) { tuples, extent in tuples.flatMap { tuple in (0..<extent).map { tuple + [$0] } } }
        }
        func flat(_ index: [Int], _ extents: [Int]) -> Int { zip(index, extents).reduce(0) { $0 * $1.1 + $1.0 } }
        let (perGroup, outPerGroup) = (shape.inChannels / shape.groups, shape.outChannels / shape.groups)
        let (outputs, taps) = (indices(shape.output), indices(shape.kernel))
        let planes = [shape.input, shape.kernel, shape.output].map { $0.reduce(1, *) }
        for (place, output) in outputs.enumerated() {
            for (tap, k) in taps.enumerated() {
                let at = output.indices.map {
                    output[$0] * shape.strides[$0] + k[$0] * shape.dilations[$0] - shape.padsBefore[$0]
                }
                guard at.indices.allSatisfy({ at[$0] >= 0 && at[$0] < shape.input[$0] }) else { continue }
                for image in 0..<shape.batch {
                    for o in 0..<shape.outChannels {
                        for c in 0..<perGroup {
                            let channel = image * shape.inChannels + o / outPerGroup * perGroup + c
                            body(
                                channel * planes[0] + flat(at, shape.input), (o * perGroup + c) * planes[1] + tap,
                                (image * shape.outChannels + o) * planes[2] + place)
                        }
                    }
                }
            }
        }
    }

    @Test(
        "forward and both gradients are those of the definition, twice with the same memory", arguments: chosen + random
    )
    func definition(_ one: Case) throws {
        let shape = try one.shape
        let (x, w) = (Self.numbers(shape.inputCount, 1), Self.numbers(shape.weightCount, 2))
        let (dy, bias) = (Self.numbers(shape.outputCount, 3), Self.numbers(shape.outChannels, 4))
        let plane = shape.output.reduce(1, *)
        var y = (0..<shape.outputCount).map { Double(bias[$0 / plane % shape.outChannels]) }
        var dx = [Double](repeating: 0, count: shape.inputCount)
        var dw = [Double](repeating: 0, count: shape.weightCount)
        Self.products(shape) { i, k, o in
            y[o] += Double(x[i]) * Double(w[k])
            dx[i] += Double(dy[o]) * Double(w[k])
            dw[k] += Double(dy[o]) * Double(x[i])
        }
        func difference(_ found: [Float], _ wanted: [Double]) -> Double {
            let scale = wanted.reduce(1e-30) { max($0, abs($1)) }
            return zip(found, wanted).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / scale
        }
        let convolution = Convolution(shape)
        // What was there before is not to matter.
        var found = (y: dy, dx: x, dw: w)
        for _ in 0..<2 {
            try convolution.forward(x, weight: w, bias: bias, into: &found.y)
            try convolution.inputGradient(dy, weight: w, into: &found.dx)
            try convolution.weightGradient(dy, input: x, into: &found.dw)
            #expect(difference(found.y, y) < 1e-5)
            #expect(difference(found.dx, dx) < 1e-5)
            #expect(difference(found.dw, dw) < 1e-5)
        }
        let before = found
        try convolution.weightGradient(dy, input: x, into: &found.dw)
        #expect(found.dw == before.dw)
        try convolution.forward(x, weight: w, into: &found.y)
        #expect(
            zip(found.y.indices, found.y).allSatisfy {
                abs($1 + bias[$0 / plane % shape.outChannels] - before.y[$0]) < 1e-4
            })
    }

    @Test(
        "extents that do not fit are refused",
        arguments: [
            Case(channels: (3, 4), groups: 2, input: [4], kernel: [1]), Case(input: [4], kernel: [5]),
            Case(input: [4, 4], kernel: [1]), Case(input: [4], kernel: [1], strides: [0]),
            Case(input: [0], kernel: [1]),
            Case(input: [4], kernel: [1], before: [-1]), Case(input: [1 << 20, 1 << 20, 1 << 20], kernel: [1, 1, 1]),
            Case(input: [4], kernel: [2], dilations: [.max]),
        ])
    func misfits(_ one: Case) {
        #expect { _ = try one.shape } throws: { "\($0)".contains("execution.shape") }
    }

    @Test("arrays of another count are refused")
    func counts() throws {
        let convolution = Convolution(try Self.chosen[0].shape)
        var short: [Float] = [1]
        #expect(throws: (any Error).self) { try convolution.forward([1], weight: [1], into: &short) }
        #expect(throws: (any Error).self) { try convolution.inputGradient([1], weight: [1], into: &short) }
        #expect(throws: (any Error).self) { try convolution.weightGradient([1], input: [1], into: &short) }
    }
}
