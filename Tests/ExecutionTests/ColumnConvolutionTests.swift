import ConverterKit
import LinearAlgebra
import Testing

@testable import Execution

@Suite("Convolutions as matrix products")
struct ColumnConvolutionTests {
    @Test(
        "forward and both gradients are those of the definition, in single and double precision",
        arguments: ConvolutionTests.chosen + ConvolutionTests.random, [1, 2])
    func definition(_ one: ConvolutionTests.Case, threads: Int) throws {
        let shape = try one.shape
        let (x, w) = (ConvolutionTests.numbers(shape.inputCount, 1), ConvolutionTests.numbers(shape.weightCount, 2))
        let (dy, bias) = (
            ConvolutionTests.numbers(shape.outputCount, 3), ConvolutionTests.numbers(shape.outChannels, 4)
        )
        let plane = shape.output.reduce(1, *)
        var y = (0..<shape.outputCount).map { Double(bias[$0 / plane % shape.outChannels]) }
        var dx = [Double](repeating: 0, count: shape.inputCount)
        var dw = [Double](repeating: 0, count: shape.weightCount)
        ConvolutionTests.products(shape) { i, k, o in
            y[o] += Double(x[i]) * Double(w[k])
            dx[i] += Double(dy[o]) * Double(w[k])
            dw[k] += Double(dy[o]) * Double(x[i])
        }
        func check<T: Element & BinaryFloatingPoint>(_: T.Type, tolerance: Double) throws {
            let convolution = ColumnConvolution<T>(shape)
            let pool = ThreadPool.shared(width: threads)
            let buffers = try [x, w, dy, bias].map { values in
                try TensorValue(
                    elements: values.map { T($0) }, shape: [values.count],
                    type: T.storage == .float ? ElementType.float32 : .float64)
            }
            let results = try [y, dx, dw].map {
                try TensorValue(type: buffers[0].type, shape: [$0.count])
            }
            let given = unsafe buffers.map { unsafe UnsafePointer($0.buffer.base.assumingMemoryBound(to: T.self)) }
            let found = unsafe results.map { unsafe $0.buffer.base.assumingMemoryBound(to: T.self) }
            for _ in 0..<2 {
                try withExtendedLifetime((buffers, results)) {
                    try unsafe convolution.forward(
                        given[0], weight: given[1], bias: given[3], into: found[0], pool: pool)
                    try unsafe convolution.inputGradient(given[2], weight: given[1], into: found[1], pool: pool)
                    try unsafe convolution.weightGradient(given[2], input: given[0], into: found[2], pool: pool)
                }
                for (result, wanted) in zip(results, [y, dx, dw]) {
                    let scale = wanted.reduce(1e-30) { max($0, abs($1)) }
                    let difference = zip(try result.doubles(), wanted).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
                    #expect(difference < tolerance)
                }
            }
        }
        try check(Float.self, tolerance: 1e-5)
        try check(Double.self, tolerance: 1e-12)
    }

    @Test("images fewer than threads are shared by blocks of channels", arguments: ConvolutionTests.chosen)
    func sharing(_ one: ConvolutionTests.Case) throws {
        var single = one
        single.batch = 1
        let shape = try single.shape
        let (x, w) = (ConvolutionTests.numbers(shape.inputCount, 1), ConvolutionTests.numbers(shape.weightCount, 2))
        let dy = ConvolutionTests.numbers(shape.outputCount, 3)
        func run(_ threads: Int) throws -> [[Double]] {
            let convolution = Convolution(shape)
            let pool = ThreadPool.shared(width: threads)
            let given = try [x, w, dy].map { try TensorValue($0, shape: [$0.count]) }
            let results = try [dy, x].map { try TensorValue(type: .float32, shape: [$0.count]) }
            let from = unsafe given.map { unsafe UnsafePointer($0.buffer.base.assumingMemoryBound(to: Float.self)) }
            let to = unsafe results.map { unsafe $0.buffer.base.assumingMemoryBound(to: Float.self) }
            withExtendedLifetime((given, results)) {
                unsafe convolution.forward(from[0], weight: from[1], bias: nil, into: to[0], pool: pool)
                unsafe convolution.inputGradient(from[2], weight: from[1], into: to[1], pool: pool)
            }
            return try results.map { try $0.doubles() }
        }
        #expect(try run(1) == run(3))
    }
}
