internal import ConverterKit
internal import LinearAlgebra

/// Convolutions as products of matrices, for any element type: the pixels that each tap meets are laid out as rows of a
/// matrix (im2col), a share of it at a time that stays in the cache. Kernels of one tap without stride and pads need no
/// such layout.
///
/// Threads take shares that write different elements: runs of output positions in the forward pass, runs of input
/// channels in the gradients. One call at a time.
@safe final class ColumnConvolution<T: Element>: @unchecked Sendable {
    let shape: ConvolutionShape
    /// One tap that meets each pixel once: the image itself is the matrix.
    let isPointwise: Bool
    private let taps: [[Int]]
    private var columns: [Buffer] = []

    /// Elements of a thread's share of the matrix: half a megabyte of single precision.
    private static var shareCount: Int { 1 << 17 }

    init(_ shape: ConvolutionShape) {
        self.shape = shape
        isPointwise = Self.isPointwise(shape)
        taps = shape.kernel.reduce([[]]) { tuples, extent in
            tuples.flatMap { tuple in (0..<extent).map { tuple + [$0] } }
        }
    }

    static func isPointwise(_ shape: ConvolutionShape) -> Bool {
        shape.taps == 1 && shape.strides.allSatisfy { $0 == 1 }
            && (shape.padsBefore + shape.padsAfter).allSatisfy { $0 == 0 } && shape.output == shape.input
    }

    private func reserve(_ count: Int, width: Int) {
        let bytes = count * T.storage.stride
        if columns.count == width, columns.allSatisfy({ $0.byteCount >= bytes }) { return }
        columns = (0..<width).map { _ in Buffer(byteCount: bytes) }
    }

    private func share(of part: Int) -> UnsafeMutablePointer<T> {
        unsafe columns[part].base.assumingMemoryBound(to: T.self)
    }

    /// `y` is overwritten.
    @unsafe func forward(
        _ x: UnsafePointer<T>, weight: UnsafePointer<T>, bias: UnsafePointer<T>?, into y: UnsafeMutablePointer<T>,
        pool: ThreadPool
    ) throws {
        let (inputs, outputs) = (shape.inChannelsPerGroup, shape.outChannelsPerGroup)
        let (plane, rows) = (shape.outputPlane, shape.inChannelsPerGroup * shape.taps)
        guard plane > 0, shape.batch > 0 else { return }
        let images = shape.batch * shape.groups
        // Enough shares for all threads, each a multiple of a cache line long.
        let even = max(1, pool.width / images)
        let longest = min(plane, max(64, Self.shareCount / rows / 16 * 16), ((plane + even - 1) / even + 63) / 64 * 64)
        let shares = (plane + longest - 1) / longest
        if !isPointwise { reserve(rows * longest, width: pool.width) }
        let full = try product(m: outputs, n: longest, k: rows, ldb: isPointwise ? plane : longest, ldc: plane)
        let rest = plane - (shares - 1) * longest
        let last = try product(m: outputs, n: rest, k: rows, ldb: isPointwise ? plane : rest, ldc: plane)
        BLAS.withSingleThread {
            pool.run { part, parts in
                let items = images * shares
                for item in items * part / parts..<items * (part + 1) / parts {
                    let (imageGroup, index) = item.quotientAndRemainder(dividingBy: shares)
                    let (image, group) = imageGroup.quotientAndRemainder(dividingBy: shape.groups)
                    let from = unsafe x + (image * shape.inChannels + group * inputs) * shape.inputPlane
                    let first = index * longest
                    let count = min(longest, plane - first)
                    let to = unsafe y + (image * shape.outChannels + group * outputs) * plane + first
                    let left = unsafe weight + group * outputs * rows
                    let product = count == longest ? full : last
                    if isPointwise {
                        unsafe product.run(left, from + first, into: to)
                    } else {
                        let matrix = unsafe share(of: part)
                        unsafe unfold(from, 0..<inputs, first..<first + count, into: matrix)
                        unsafe product.run(left, UnsafePointer(matrix), into: to)
                    }
                    if let bias = unsafe bias {
                        for row in 0..<outputs {
                            unsafe Self.add(bias[group * outputs + row], to: to + row * plane, count)
                        }
                    }
                }
            }
        }
    }

    /// `dx` is overwritten.
    @unsafe func inputGradient(
        _ dy: UnsafePointer<T>, weight: UnsafePointer<T>, into dx: UnsafeMutablePointer<T>, pool: ThreadPool
    ) throws {
        let (inputs, outputs, taps) = (shape.inChannelsPerGroup, shape.outChannelsPerGroup, shape.taps)
        let plane = shape.outputPlane
        guard shape.batch > 0 else { return }
        let images = shape.batch * shape.groups
        let together = channelsTogether(images, pool.width)
        let shares = (inputs + together - 1) / together
        if !isPointwise { reserve(together * taps * plane, width: pool.width) }
        let full = try product(
            m: together * taps, n: plane, k: outputs, transposesA: true, lda: inputs * taps, ldb: plane, ldc: plane)
        let last = try product(
            m: (inputs - (shares - 1) * together) * taps, n: plane, k: outputs, transposesA: true, lda: inputs * taps,
            ldb: plane, ldc: plane)
        BLAS.withSingleThread {
            pool.run { part, parts in
                let items = images * shares
                for item in items * part / parts..<items * (part + 1) / parts {
                    let (imageGroup, index) = item.quotientAndRemainder(dividingBy: shares)
                    let (image, group) = imageGroup.quotientAndRemainder(dividingBy: shape.groups)
                    let from = unsafe dy + (image * shape.outChannels + group * outputs) * plane
                    let first = index * together
                    let count = min(together, inputs - first)
                    let to = unsafe dx + (image * shape.inChannels + group * inputs + first) * shape.inputPlane
                    let left = unsafe weight + group * outputs * inputs * taps + first * taps
                    let product = count == together ? full : last
                    if isPointwise {
                        unsafe product.run(left, from, into: to)
                    } else {
                        let matrix = unsafe share(of: part)
                        unsafe product.run(left, from, into: matrix)
                        unsafe fold(UnsafePointer(matrix), count, into: to)
                    }
                }
            }
        }
    }

    /// `dw` is overwritten.
    @unsafe func weightGradient(
        _ dy: UnsafePointer<T>, input x: UnsafePointer<T>, into dw: UnsafeMutablePointer<T>, pool: ThreadPool
    ) throws {
        let (inputs, outputs, taps) = (shape.inChannelsPerGroup, shape.outChannelsPerGroup, shape.taps)
        let plane = shape.outputPlane
        unsafe dw.update(repeating: T.zero, count: shape.weightCount)
        let together = channelsTogether(shape.groups, pool.width)
        let shares = (inputs + together - 1) / together
        if !isPointwise { reserve(together * taps * plane, width: pool.width) }
        var full = try product(
            m: outputs, n: together * taps, k: plane, transposesB: true, lda: plane, ldb: plane, ldc: inputs * taps)
        var last = try product(
            m: outputs, n: (inputs - (shares - 1) * together) * taps, k: plane, transposesB: true, lda: plane,
            ldb: plane, ldc: inputs * taps)
        (full.beta, last.beta) = (1, 1)
        let products = (full, last)
        BLAS.withSingleThread {
            pool.run { part, parts in
                let items = shape.groups * shares
                for item in items * part / parts..<items * (part + 1) / parts {
                    let (group, index) = item.quotientAndRemainder(dividingBy: shares)
                    let first = index * together
                    let count = min(together, inputs - first)
                    let to = unsafe dw + group * outputs * inputs * taps + first * taps
                    let product = count == together ? products.0 : products.1
                    for image in 0..<shape.batch {
                        let from = unsafe x + (image * shape.inChannels + group * inputs) * shape.inputPlane
                        let left = unsafe dy + (image * shape.outChannels + group * outputs) * plane
                        if isPointwise {
                            unsafe product.run(left, from + first * plane, into: to)
                        } else {
                            let matrix = unsafe share(of: part)
                            unsafe unfold(from, first..<first + count, 0..<plane, into: matrix)
                            unsafe product.run(left, UnsafePointer(matrix), into: to)
                        }
                    }
                }
            }
        }
    }

    /// Input channels of one share of a gradient, at least one: few enough for the cache and for all threads.
    private func channelsTogether(_ items: Int, _ width: Int) -> Int {
        let inputs = shape.inChannelsPerGroup
        let even = items % width == 0 || items > 4 * width ? inputs : (inputs + width - 1) / width
        if isPointwise { return even }
        return max(1, min(even, Self.shareCount / max(1, shape.taps * shape.outputPlane)))
    }

    private func product(
        m: Int, n: Int, k: Int, transposesA: Bool = false, transposesB: Bool = false, lda: Int? = nil, ldb: Int? = nil,
        ldc: Int? = nil
    ) throws -> MatrixProduct {
        try MatrixProduct(
            m: m, n: n, k: k, transposesA: transposesA, transposesB: transposesB, lda: lda, ldb: ldb, ldc: ldc)
    }

    @specialized(where T == Float)
    @specialized(where T == Double)
    private static func add(_ bias: T, to y: UnsafeMutablePointer<T>, _ count: Int) {
        for index in 0..<count { unsafe y[index] = T.adding(y[index], bias) }
    }

    /// The rows of the matrix for the taps of some channels, at some output positions.
    @specialized(where T == Float)
    @specialized(where T == Double)
    @unsafe private func unfold(
        _ x: UnsafePointer<T>, _ channels: Range<Int>, _ positions: Range<Int>, into matrix: UnsafeMutablePointer<T>
    ) {
        var row = 0
        for channel in channels {
            for tap in taps {
                let from = unsafe x + channel * shape.inputPlane
                let to = unsafe matrix + row * positions.count
                forEachRun(tap, positions) { place, count, inner, source, step in
                    let target = unsafe to + place
                    let (low, high) = (min(inner.lowerBound, count), min(inner.upperBound, count))
                    for index in 0..<low { unsafe target[index] = T.zero }
                    if step == 1, low < high {
                        unsafe (target + low).update(from: from + source + low, count: high - low)
                    } else if low < high {
                        for index in low..<high { unsafe target[index] = from[source + index * step] }
                    }
                    for index in max(low, high)..<count { unsafe target[index] = T.zero }
                }
                row += 1
            }
        }
    }

    /// Adds the rows of the matrix to the pixels that they were taken from; other pixels become zero.
    @specialized(where T == Float)
    @specialized(where T == Double)
    @unsafe private func fold(_ matrix: UnsafePointer<T>, _ channels: Int, into dx: UnsafeMutablePointer<T>) {
        unsafe dx.update(repeating: T.zero, count: channels * shape.inputPlane)
        let plane = shape.outputPlane
        var row = 0
        for channel in 0..<channels {
            for tap in taps {
                let to = unsafe dx + channel * shape.inputPlane
                let from = unsafe matrix + row * plane
                forEachRun(tap, 0..<plane) { place, _, inner, source, step in
                    for index in inner {
                        let pixel = source + index * step
                        unsafe to[pixel] = T.adding(to[pixel], from[place + index])
                    }
                }
                row += 1
            }
        }
    }

    /// Calls `body` for each run of the positions along the last axis: its place among the positions, its length, which of
    /// it lie inside the image, and the pixel of its first position with the step to the next one. A run that lies
    /// outside has an empty range.
    @inline(__always)
    private func forEachRun(
        _ tap: [Int], _ positions: Range<Int>, _ body: (Int, Int, Range<Int>, Int, Int) -> Void
    ) {
        let last = shape.output.count - 1
        let width = shape.output[last]
        let step = shape.strides[last]
        let shift = tap[last] * shape.dilations[last] - shape.padsBefore[last]
        var position = positions.lowerBound
        while position < positions.upperBound {
            let column = position % width
            let count = min(width - column, positions.upperBound - position)
            var (outer, source, scale, isInside) = (position / width, 0, shape.input[last], true)
            for axis in (0..<last).reversed() {
                let index = outer % shape.output[axis]
                outer /= shape.output[axis]
                let pixel = index * shape.strides[axis] + tap[axis] * shape.dilations[axis] - shape.padsBefore[axis]
                isInside = isInside && pixel >= 0 && pixel < shape.input[axis]
                source += pixel * scale
                scale *= shape.input[axis]
            }
            let start = column * step + shift
            let low = start >= 0 ? 0 : (-start + step - 1) / step
            let high = shape.input[last] > start ? (shape.input[last] - start + step - 1) / step : 0
            let inner = isInside && low < min(high, count) ? low..<min(high, count) : 0..<0
            body(position - positions.lowerBound, count, inner, source + start, step)
            position += count
        }
    }
}
