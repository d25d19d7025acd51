internal import CKernels
internal import Glibc

/// A number type that losses are computed in.
protocol LossScalar: Element, BinaryFloatingPoint {
    static func exponential(_ x: Self) -> Self
    static func logarithm(_ x: Self) -> Self
    /// Over the last axis.
    @unsafe static func logSoftmax(
        _ y: UnsafeMutablePointer<Self>, _ x: UnsafePointer<Self>, rows: Int, classes: Int)
}

extension Float: LossScalar {
    static func exponential(_ x: Float) -> Float { expf(x) }
    static func logarithm(_ x: Float) -> Float { logf(x) }
    @unsafe static func logSoftmax(
        _ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, rows: Int, classes: Int
    ) {
        unsafe rene_log_softmax(y, x, rows, classes)
    }
}

extension Double: LossScalar {
    static func exponential(_ x: Double) -> Double { exp(x) }
    static func logarithm(_ x: Double) -> Double { log(x) }
    @unsafe static func logSoftmax(
        _ y: UnsafeMutablePointer<Double>, _ x: UnsafePointer<Double>, rows: Int, classes: Int
    ) {
        for row in 0..<rows {
            unsafe stridedLogSoftmax(y + row * classes, x + row * classes, classes: classes, stride: 1)
        }
    }
}

extension LossScalar {
    /// Of numbers that lie `stride` apart.
    @unsafe static func stridedLogSoftmax(
        _ y: UnsafeMutablePointer<Self>, _ x: UnsafePointer<Self>, classes: Int, stride: Int
    ) {
        var top = -Self.infinity
        for index in 0..<classes { unsafe top = max(top, x[index * stride]) }
        var sum: Self = 0
        for index in 0..<classes { unsafe sum += exponential(x[index * stride] - top) }
        let shift = top + logarithm(sum)
        for index in 0..<classes { unsafe y[index * stride] = x[index * stride] - shift }
    }
}
