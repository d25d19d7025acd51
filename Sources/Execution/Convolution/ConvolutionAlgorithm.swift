internal import ConverterKit

/// A convolution in the way that is fastest for its extents: correlation of planes (single precision only) or products
/// of matrices.
struct ConvolutionAlgorithm<T: Element> {
    let shape: ConvolutionShape
    private let planes: Convolution?
    private let columns: ColumnConvolution<T>?

    init(_ shape: ConvolutionShape) {
        self.shape = shape
        let isPlanar = T.self == Float.self && !Self.prefersColumns(shape)
        planes = isPlanar ? Convolution(shape) : nil
        columns = isPlanar ? nil : ColumnConvolution(shape)
    }

    /// Where laying out a matrix costs little beside the product, as measured: with many channels, or with planes so large
    /// that they leave the cache. Of few channels, and of one for each group, the planes are twice as fast.
    private static func prefersColumns(_ shape: ConvolutionShape) -> Bool {
        let (inputs, outputs) = (shape.inChannelsPerGroup, shape.outChannelsPerGroup)
        if shape.taps == 1 { return outputs > 1 }
        return outputs >= 64 && (inputs >= 128 || (inputs * shape.taps >= 128 && shape.outputPlane >= 576))
    }

    @unsafe func forward(
        _ x: UnsafePointer<T>, weight: UnsafePointer<T>, bias: UnsafePointer<T>?, into y: UnsafeMutablePointer<T>,
        pool: ThreadPool
    ) throws {
        if let planes {
            unsafe planes.forward(
                single(x), weight: single(weight), bias: bias.map { unsafe single($0) }, into: single(y), pool: pool)
        }
        try unsafe columns?.forward(x, weight: weight, bias: bias, into: y, pool: pool)
    }

    @unsafe func inputGradient(
        _ dy: UnsafePointer<T>, weight: UnsafePointer<T>, into dx: UnsafeMutablePointer<T>, pool: ThreadPool
    ) throws {
        if let planes {
            unsafe planes.inputGradient(single(dy), weight: single(weight), into: single(dx), pool: pool)
        }
        try unsafe columns?.inputGradient(dy, weight: weight, into: dx, pool: pool)
    }

    @unsafe func weightGradient(
        _ dy: UnsafePointer<T>, input x: UnsafePointer<T>, into dw: UnsafeMutablePointer<T>, pool: ThreadPool
    ) throws {
        if let planes { unsafe planes.weightGradient(single(dy), input: single(x), into: single(dw), pool: pool) }
        try unsafe columns?.weightGradient(dy, input: x, into: dw, pool: pool)
    }

    /// The planes are there only where `T` is `Float`.
    private func single(_ pointer: UnsafePointer<T>) -> UnsafePointer<Float> {
        unsafe UnsafeRawPointer(pointer).assumingMemoryBound(to: Float.self)
    }

    private func single(_ pointer: UnsafeMutablePointer<T>) -> UnsafeMutablePointer<Float> {
        unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: Float.self)
    }
}
