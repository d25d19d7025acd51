internal import CKernels

/// `y = (x − μ) / √(σ² + ε) · scale + bias` over rows of `count` elements, μ and σ² those of the row; not centred, μ is 0
/// and σ² the mean square.
struct RowNormalization: Sendable {
    let rows: Int
    let count: Int
    let isCentred: Bool
    let epsilon: Double

    /// Rows that are worth a thread.
    var grain: Int { max(1, (1 << 14) / max(1, count)) }

    /// Some of the rows; mean and inverse deviation are written for each where they have a place. `y` may be `x`.
    @unsafe func run<T: RealElement>(
        _ x: UnsafePointer<T>, scale: UnsafePointer<T>?, bias: UnsafePointer<T>?, into y: UnsafeMutablePointer<T>,
        mean: UnsafeMutablePointer<T>?, inverse: UnsafeMutablePointer<T>?, rows: Range<Int>
    ) {
        let first = rows.lowerBound
        let (x, y) = unsafe (x + first * count, y + first * count)
        let (mean, inverse) = unsafe (mean.map { unsafe $0 + first }, inverse.map { unsafe $0 + first })
        if T.self == Float.self {
            let (n, many) = (count, rows.count)
            if isCentred {
                unsafe rene_layer_norm(
                    single(y), single(x), scale.map { unsafe single($0) }, bias.map { unsafe single($0) },
                    mean.map { unsafe single($0) }, inverse.map { unsafe single($0) }, many, n, Float(epsilon))
            } else {
                unsafe rene_rms_norm(
                    single(y), single(x), scale.map { unsafe single($0) }, inverse.map { unsafe single($0) }, many, n,
                    Float(epsilon))
            }
            return
        }
        for row in 0..<rows.count {
            let (from, to) = unsafe (x + row * count, y + row * count)
            var (sum, squares) = (0.0, 0.0)
            if isCentred { for index in 0..<count { sum += unsafe Double(from[index]) } }
            let center = sum / Double(max(1, count))
            for index in 0..<count {
                let distance = unsafe Double(from[index]) - center
                squares += distance * distance
            }
            let factor = 1 / (squares / Double(max(1, count)) + epsilon).squareRoot()
            unsafe mean?[row] = T(center)
            unsafe inverse?[row] = T(factor)
            for index in 0..<count {
                let value = unsafe (Double(from[index]) - center) * factor * Double(scale?[index] ?? 1)
                unsafe to[index] = T(value + Double(bias?[index] ?? 0))
            }
        }
    }

    /// `dx` of some of the rows; adds to `dScale` and `dBias`. Not centred, `mean` is not read.
    @unsafe func gradient<T: RealElement>(
        _ dy: UnsafePointer<T>, _ x: UnsafePointer<T>, scale: UnsafePointer<T>?, mean: UnsafePointer<T>?,
        inverse: UnsafePointer<T>, into dx: UnsafeMutablePointer<T>, dScale: UnsafeMutablePointer<T>?,
        dBias: UnsafeMutablePointer<T>?, rows: Range<Int>
    ) {
        let first = rows.lowerBound * count
        if T.self == Float.self {
            let inverse = unsafe single(inverse) + rows.lowerBound
            let (dx, dy, x) = unsafe (single(dx) + first, single(dy) + first, single(x) + first)
            let (scale, dScale) = unsafe (scale.map { unsafe single($0) }, dScale.map { unsafe single($0) })
            if isCentred {
                let center = unsafe mean.map { unsafe single($0) + rows.lowerBound }
                unsafe rene_layer_norm_gradient(
                    dx, dScale, dBias.map { unsafe single($0) }, dy, x, scale, center, inverse, rows.count, count)
            } else {
                unsafe rene_rms_norm_gradient(dx, dScale, dy, x, scale, inverse, rows.count, count)
            }
            return
        }
        for row in rows {
            let start = row * count
            let (center, factor) = unsafe (isCentred ? mean?[row] ?? 0 : 0, inverse[row])
            var (sum, weighted) = (T.zero, T.zero)
            for index in 0..<count {
                let distance = unsafe (x[start + index] - center) * factor
                let gradient = unsafe dy[start + index]
                unsafe dScale?[index] += gradient * distance
                unsafe dBias?[index] += gradient
                let scaled = unsafe gradient * (scale?[index] ?? 1)
                sum += scaled
                weighted += scaled * distance
            }
            let (shift, slope) = (isCentred ? sum / T(count) : 0, weighted / T(count))
            for index in 0..<count {
                let distance = unsafe (x[start + index] - center) * factor
                let scaled = unsafe dy[start + index] * (scale?[index] ?? 1)
                unsafe dx[start + index] = factor * (scaled - shift - distance * slope)
            }
        }
    }
}

/// The pointer where `T` is known to be `Float`.
@unsafe func single<T>(_ pointer: UnsafePointer<T>) -> UnsafePointer<Float> {
    unsafe UnsafeRawPointer(pointer).assumingMemoryBound(to: Float.self)
}

@unsafe func single<T>(_ pointer: UnsafeMutablePointer<T>) -> UnsafeMutablePointer<Float> {
    unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: Float.self)
}
