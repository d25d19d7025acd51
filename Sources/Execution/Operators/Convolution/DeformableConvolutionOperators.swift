internal import ConverterKit
internal import LinearAlgebra

/// DeformConv (Dai et al., arXiv 1703.06211; with a mask, arXiv 1811.11168): a convolution of an image whose taps are moved
/// by offsets for each output pixel, interpolated between pixels, and weighed by a mask.
enum DeformableConvolutionOperators {
    static let all = [deformConv]

    /// X `[batch, channels, h, w]`, W `[out, channels / groups, kh, kw]`, offsets `[batch, 2 · groups' · kh · kw, oh, ow]`
    /// (rows first), B `[out]`, mask `[batch, groups' · kh · kw, oh, ow]`; groups' is `offset_group`.
    static let deformConv = Operator("DeformConv") { preparation in
        let (x, weight) = (try preparation.fact(0), try preparation.fact(1))
        guard x.shape.count == 4, weight.type == x.type else {
            throw ExecutionError.unsupported("DeformConv of \(x.type) \(x.shape) is not executed")
        }
        let shape = try ConvolutionShape(preparation.attributes, input: x.shape, weight: weight.shape)
        let moves = preparation.attributes.int("offset_group", otherwise: 1)
        guard moves > 0, shape.inChannels % moves == 0,
            try preparation.shape(2) == [shape.batch, 2 * moves * shape.taps] + shape.output,
            try !preparation.isStated(3) || preparation.shape(3) == [shape.outChannels],
            try !preparation.isStated(4) || preparation.shape(4) == [shape.batch, moves * shape.taps] + shape.output
        else { throw ExecutionError.shape("DeformConv of \(x.shape) with offsets of \(try preparation.shape(2))") }
        let (inputs, outputs) = (shape.inChannelsPerGroup, shape.outChannelsPerGroup)
        let rows = inputs * shape.taps
        let product = try MatrixProduct(m: outputs, n: shape.outputPlane, k: rows)
        let stride = x.type.storage?.stride ?? 0
        func make<T: RealElement>(_: T.Type) -> Kernel {
            { arguments in
                let (x, weight) = unsafe (arguments.input(0, T.self), arguments.input(1, T.self))
                let (offsets, bias) = unsafe (arguments.input(2, T.self), arguments.optionalInput(3, T.self))
                let (mask, y) = unsafe (arguments.optionalInput(4, T.self), arguments.output(0, T.self))
                let columns = unsafe arguments.scratch(T.self)
                let plane = shape.outputPlane
                for image in 0..<shape.batch {
                    for group in 0..<shape.groups {
                        arguments.pool.split(inputs) { channels in
                            for channel in channels {
                                let whole = group * inputs + channel
                                let move = image * moves + whole / (shape.inChannels / moves)
                                unsafe sample(
                                    x + (image * shape.inChannels + whole) * shape.inputPlane, shape,
                                    offsets: offsets + move * 2 * shape.taps * plane,
                                    mask: mask.map { unsafe $0 + move * shape.taps * plane },
                                    into: columns + channel * shape.taps * plane)
                            }
                        }
                        let to = unsafe y + (image * shape.outChannels + group * outputs) * plane
                        unsafe product.run(
                            weight + group * outputs * rows, UnsafePointer(columns), into: to, pool: arguments.pool)
                        guard let bias = unsafe bias else { continue }
                        for output in 0..<outputs {
                            let value = unsafe bias[group * outputs + output]
                            for index in 0..<plane { unsafe to[output * plane + index] += value }
                        }
                    }
                }
            }
        }
        let (bytes, overflow) = (rows * shape.outputPlane).multipliedReportingOverflow(by: stride)
        guard !overflow, bytes < 1 << 40 else { throw ExecutionError.shape("DeformConv of \(x.shape) is too large") }
        return Prepared(
            [TensorFact(type: x.type, shape: shape.outputShape)], scratch: bytes, macs: shape.macs,
            kernel: make(try x.realElement("DeformConv")))
    }

    /// The rows of the matrix for one channel's taps.
    @specialized(where T == Float)
    @unsafe private static func sample<T: RealElement>(
        _ x: UnsafePointer<T>, _ shape: ConvolutionShape, offsets: UnsafePointer<T>, mask: UnsafePointer<T>?,
        into columns: UnsafeMutablePointer<T>
    ) {
        let (height, width, plane) = (shape.input[0], shape.input[1], shape.outputPlane)
        for tap in 0..<shape.taps {
            let (row, column) = tap.quotientAndRemainder(dividingBy: shape.kernel[1])
            for place in 0..<plane {
                let (i, j) = place.quotientAndRemainder(dividingBy: shape.output[1])
                let top = i * shape.strides[0] - shape.padsBefore[0] + row * shape.dilations[0]
                let left = j * shape.strides[1] - shape.padsBefore[1] + column * shape.dilations[1]
                let h = unsafe T(top) + offsets[2 * tap * plane + place]
                let w = unsafe T(left) + offsets[(2 * tap + 1) * plane + place]
                var value = T.zero
                if h > -1, w > -1, h < T(height), w < T(width) {
                    let (low, start) = (h.rounded(.down), w.rounded(.down))
                    let (dh, dw) = (h - low, w - start)
                    let (h0, w0) = (Int(low), Int(start))
                    for (dy, share) in [(0, 1 - dh), (1, dh)] where h0 + dy >= 0 && h0 + dy < height {
                        let from = unsafe x + (h0 + dy) * width
                        if w0 >= 0 { value += unsafe share * (1 - dw) * from[w0] }
                        if w0 + 1 < width { value += unsafe share * dw * from[w0 + 1] }
                    }
                }
                unsafe columns[tap * plane + place] = value * (mask?[tap * plane + place] ?? 1)
            }
        }
    }
}
