import Execution
import Foundation
import LinearAlgebra

/// `convolution-bench`: forward pass and both gradients of the convolutions of ResNet-20's three stages at batch 128. A
/// line of JSON for each stage: seconds of one step, the median of 20 after 3 to warm up.
@main struct ConvolutionBench {
    static func main() throws {
        BLAS.prepare()
        for (channels, side) in [(16, 32), (32, 16), (64, 8)] {
            let shape = try ConvolutionShape(
                batch: 128, inChannels: channels, outChannels: channels, input: [side, side], kernel: [3, 3],
                padsBefore: [1, 1], padsAfter: [1, 1])
            let x = normals(shape.inputCount, seed: 1)
            let weight = normals(shape.weightCount, seed: 2)
            let dy = normals(shape.outputCount, seed: 3)
            let convolution = Convolution(shape)
            var (y, dx, dw) = (dy, x, weight)
            var seconds: [[Double]] = [[], [], []]
            for _ in 0..<23 {
                seconds[0].append(try time { try convolution.forward(x, weight: weight, into: &y) })
                seconds[1].append(try time { try convolution.inputGradient(dy, weight: weight, into: &dx) })
                seconds[2].append(try time { try convolution.weightGradient(dy, input: x, into: &dw) })
            }
            let medians = seconds.map { $0.dropFirst(3).sorted()[10] }
            let step = medians.reduce(0, +)
            print(
                "{\"case\": \"\(channels)x\(side)\", \"seconds\": \(step), \"forward\": \(medians[0]), "
                    + "\"input_gradient\": \(medians[1]), \"weight_gradient\": \(medians[2]), "
                    + "\"gflops\": \(6e-9 * Double(shape.macs) / step), \"threads\": \(BLAS.threads)}")
        }
    }

    static func time(_ body: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        return try clock.measure(body) / .seconds(1)
    }

    static func normals(_ count: Int, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in Float(generator.normal()) }
    }
}
