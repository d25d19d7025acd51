internal import CKernels
internal import ConverterKit
internal import LinearAlgebra

/// A convolution prepared for given extents: its layout and the memory that it works in, so that calls allocate nothing.
/// One call at a time.
///
/// Every form (strides, dilations, pads, groups, one to three axes) is a correlation of flattened planes (`PlaneLayout`),
/// computed directly and without im2col. Images and, where there are few of them, blocks of channels are spread over
/// threads.
@safe public final class Convolution: @unchecked Sendable {
    public let shape: ConvolutionShape
    let layout: PlaneLayout
    let backwardTaps: BackwardTaps
    let inputRows: RowTable
    let outputRows: RowTable
    /// Output channels at a time in the forward pass and the weight's gradient, input channels at a time in the
    /// input's; 1 where a group has too few of them.
    let outBlock: Int
    let inBlock: Int
    /// Threads of the last call, each with memory of its own.
    var parts = 0
    let slack: Int
    /// Weights in the order in which the kernels read them, and the memory of each part.
    var packed = Scratch(count: 0)
    var backwardPacked = Scratch(count: 0)
    var forwardPlanes: [Scratch] = []
    var forwardSums: [Scratch] = []
    var backwardPlanes: [Scratch] = []
    var backwardSums: [Scratch] = []
    var forwardGradientPlanes: [Scratch] = []
    var gradientPlanes: [Scratch] = []
    var gradientSums: [Scratch] = []

    public init(_ shape: ConvolutionShape) {
        self.shape = shape
        layout = PlaneLayout(shape)
        backwardTaps = BackwardTaps(layout)
        inputRows = RowTable(input: shape, layout)
        outputRows = RowTable(output: shape, layout)
        BLAS.prepare()
        let rows = Int(rene_correlation_rows())
        func block(_ channels: Int) -> Int { channels * 4 > rows ? rows : 1 }
        outBlock = block(shape.outChannelsPerGroup)
        inBlock = block(shape.inChannelsPerGroup)
        slack = Int(rene_correlation_slack()) + (shape.padsAfter.last ?? 0)
    }

    /// Overwrites `y` with `Y`, `bias` (one for each output channel) added. Throws `execution.shape` when an array has
    /// another count than the shape asks for.
    public func forward(_ x: [Float], weight: [Float], bias: [Float]? = nil, into y: inout [Float]) throws {
        try check(x.count, shape.inputCount, "the input")
        try check(weight.count, shape.weightCount, "the weight")
        try check(bias?.count ?? shape.outChannels, shape.outChannels, "the bias")
        try check(y.count, shape.outputCount, "the output")
        let bias = bias ?? []
        unsafe y.withUnsafeMutableBufferPointer { y in
            unsafe bias.withUnsafeBufferPointer { bias in
                unsafe Self.withPointers(x, weight) { x, weight in
                    guard let y = y.baseAddress, shape.batch > 0 else { return }
                    let bias = bias.isEmpty ? nil : bias.baseAddress
                    unsafe forward(x, weight: weight, bias: bias, into: y, pool: .ofBLAS)
                }
            }
        }
    }

    /// Overwrites `dx` with the gradient in `X` for the gradient `dy` in `Y`. Throws as `forward`.
    public func inputGradient(_ dy: [Float], weight: [Float], into dx: inout [Float]) throws {
        try check(dy.count, shape.outputCount, "the gradient of the output")
        try check(weight.count, shape.weightCount, "the weight")
        try check(dx.count, shape.inputCount, "the gradient of the input")
        unsafe dx.withUnsafeMutableBufferPointer { dx in
            unsafe Self.withPointers(dy, weight) { dy, weight in
                guard let dx = dx.baseAddress, shape.batch > 0 else { return }
                unsafe inputGradient(dy, weight: weight, into: dx, pool: .ofBLAS)
            }
        }
    }

    /// Overwrites `dw` with the gradient in `W` for the gradient `dy` in `Y`. Sums over images run in an order that
    /// depends on the number of threads only. Throws as `forward`.
    public func weightGradient(_ dy: [Float], input x: [Float], into dw: inout [Float]) throws {
        try check(dy.count, shape.outputCount, "the gradient of the output")
        try check(x.count, shape.inputCount, "the input")
        try check(dw.count, shape.weightCount, "the gradient of the weight")
        unsafe dw.withUnsafeMutableBufferPointer { dw in
            unsafe Self.withPointers(dy, x) { dy, x in
                guard let dw = dw.baseAddress else { return }
                unsafe weightGradient(dy, input: x, into: dw, pool: .ofBLAS)
            }
        }
    }

    /// Empty arrays have no address; what is given then is never read.
    private static func withPointers(
        _ first: [Float], _ second: [Float], _ body: (UnsafePointer<Float>, UnsafePointer<Float>) -> Void
    ) {
        unsafe first.withUnsafeBufferPointer { first in
            unsafe second.withUnsafeBufferPointer { second in
                unsafe withUnsafePointer(to: Float(0)) { none in
                    unsafe body(first.baseAddress ?? none, second.baseAddress ?? none)
                }
            }
        }
    }

    private func check(_ count: Int, _ wanted: Int, _ what: String) throws(ConversionError) {
        guard count == wanted else {
            throw ConversionError(
                "execution.shape", .badInput, "\(what) of a convolution has \(count) elements, not \(wanted)",
                remedy: "Check the shapes of the model's inputs and weights.")
        }
    }

    /// The images of a part.
    func images(of part: Int) -> Range<Int> { shape.batch * part / parts..<shape.batch * (part + 1) / parts }

    /// Shares of the blocks of channels of each image: one where the images occupy all threads.
    func shares(ofBlocks blocks: Int) -> Int {
        shape.batch * shape.groups % parts == 0 || shape.batch * shape.groups > 4 * parts ? 1 : min(blocks, parts)
    }

    /// Memory of `count` elements for each part, zero when it is made anew; kept for the next call. Planes are written
    /// at the same places each time, so what lies between them stays zero.
    func reserve(_ scratch: inout [Scratch], _ count: Int) {
        if scratch.count == parts, scratch.allSatisfy({ $0.count == count }) { return }
        scratch = (0..<parts).map { _ in Scratch(count: count) }
    }
}

extension ThreadPool {
    /// As many threads as BLAS has.
    static var ofBLAS: ThreadPool {
        BLAS.prepare()
        return shared(width: BLAS.threads)
    }
}
