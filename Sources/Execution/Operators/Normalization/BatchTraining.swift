internal import CKernels
internal import ConverterKit

/// Batch normalization with the statistics of the batch itself, as in training (Ioffe & Szegedy, arXiv 1502.03167), together
/// with what often follows it: the sum with a residual and a limit below or above.
///
///     y = clamp(scale·(x − μ)/√(σ² + ε) + bias + residual, lo, hi),   μ and σ² by channel, over images and pixels
///
/// Images are `[N, C, …]`: any number of axes behind the channels, so the layout in lanes too.
enum BatchTraining {
    static let operators = [forward, backward]
    static let key = OperatorKey(domain: "rene", name: "BatchTraining")

    /// Inputs: x, scale, bias, optional residual. Attributes: `epsilon`, `lo`, `hi`. Outputs: y, mean, 1/√(variance + ε),
    /// variance (that of the batch, divided by the count).
    static let forward = Operator("BatchTraining", domain: "rene", gradient: gradient) { preparation in
        let extents = try Extents(preparation.shape(0))
        let channel = TensorFact(type: .float32, shape: [extents.channels])
        guard try preparation.type(0) == .float32, try preparation.shape(1) == channel.shape,
            try preparation.shape(2) == channel.shape
        else { throw ExecutionError.shape("batch normalization of \(try preparation.shape(0))") }
        if preparation.isStated(3), try preparation.shape(3) != preparation.shape(0) {
            throw ExecutionError.shape("a residual of \(try preparation.shape(3)) for \(try preparation.shape(0))")
        }
        let epsilon = Double(preparation.attributes.float("epsilon", otherwise: 1e-5))
        let limits = Limits(preparation.attributes)
        let count = Double(extents.outer * extents.inner)
        let channels = extents.channels
        let row = LaneConvolution.padded(channels)
        return Prepared(
            [try preparation.fact(0), channel, channel, channel], scratch: row * (2 * 8 + 2 * 4), overwritable: [3]
        ) { arguments in
            let x = unsafe arguments.input(0, Float.self)
            let sums = unsafe arguments.scratch(Double.self)
            let coefficients = unsafe UnsafeMutableRawPointer(sums + 2 * row).assumingMemoryBound(to: Float.self)
            let y = unsafe arguments.output(0, Float.self)
            let (mean, inverse) = unsafe (arguments.output(1, Float.self), arguments.output(2, Float.self))
            let variance = unsafe arguments.output(3, Float.self)
            let (scale, bias) = unsafe (arguments.input(1, Float.self), arguments.input(2, Float.self))
            let residual = unsafe arguments.optionalInput(3, Float.self)
            arguments.pool.split(channels) { range in
                let (from, to) = (range.lowerBound, range.upperBound)
                unsafe rene_batch_moments(
                    sums, sums + row, x, extents.outer, channels, extents.inner, from, to)
                for index in range {
                    let spread = unsafe sums[row + index] / count
                    unsafe mean[index] = Float(sums[index])
                    unsafe variance[index] = Float(spread)
                    unsafe inverse[index] = Float(1 / (spread + epsilon).squareRoot())
                }
                unsafe rene_batch_forward_coefficients(
                    coefficients + from, coefficients + row + from, mean + from, inverse + from, scale + from,
                    bias + from, range.count)
                unsafe rene_batch_apply(
                    y, x, coefficients, coefficients + row, residual, limits.lo, limits.hi, extents.outer, channels,
                    extents.inner, from, to)
            }
        }
    }

    /// Inputs: ∂y, x, scale, mean, inverse, and y where limits masked it. Outputs: ∂x, ∂scale, ∂bias, and the masked ∂y.
    static let backward = Operator("BatchTrainingGradient", domain: "rene") { preparation in
        let extents = try Extents(preparation.shape(0))
        let channels = extents.channels
        let channel = TensorFact(type: .float32, shape: [channels])
        guard try preparation.shape(1) == preparation.shape(0), try preparation.shape(2) == channel.shape else {
            throw ExecutionError.shape("the gradient of a batch normalization of \(try preparation.shape(1))")
        }
        let limits = Limits(preparation.attributes)
        let count = Double(extents.outer * extents.inner)
        let row = LaneConvolution.padded(channels)
        let masked = preparation.isWanted(3)
        var outputs = [try preparation.fact(1), channel, channel]
        if masked { outputs.append(try preparation.fact(0)) }
        return Prepared(outputs, scratch: row * (2 * 8 + 3 * 4), overwritable: [0]) { arguments in
            let (dy, x) = unsafe (arguments.input(0, Float.self), arguments.input(1, Float.self))
            let scale = unsafe arguments.input(2, Float.self)
            let (mean, inverse) = unsafe (arguments.input(3, Float.self), arguments.input(4, Float.self))
            let y = unsafe arguments.optionalInput(5, Float.self)
            let sums = unsafe arguments.scratch(Double.self)
            let a = unsafe UnsafeMutableRawPointer(sums + 2 * row).assumingMemoryBound(to: Float.self)
            let g = unsafe masked ? arguments.output(3, Float.self) : nil
            let (dscale, dbias) = unsafe (arguments.output(1, Float.self), arguments.output(2, Float.self))
            let dx = unsafe arguments.output(0, Float.self)
            arguments.pool.split(channels) { range in
                let (from, to) = (range.lowerBound, range.upperBound)
                unsafe rene_batch_sums(
                    sums, sums + row, dy, y, x, mean, inverse, limits.lo, limits.hi, extents.outer, channels,
                    extents.inner, from, to)
                for index in range {
                    unsafe dbias[index] = Float(sums[index])
                    unsafe dscale[index] = Float(sums[row + index])
                }
                unsafe rene_batch_gradient_coefficients(
                    a + from, a + row + from, a + 2 * row + from, inverse + from, scale + from, sums + from,
                    sums + row + from, count, range.count)
                unsafe rene_batch_gradient(
                    dx, g, dy, y, x, mean, a, a + row, a + 2 * row, limits.lo, limits.hi, extents.outer, channels,
                    extents.inner, from, to)
            }
        }
    }

    private static let gradient: GradientRule = { context in
        let limits = Limits(context.attributes)
        let residual = context.inputs.indices.contains(3) && context.inputs[3] != nil && context.wants(3)
        let made = try context.program.emit(
            "BatchTrainingGradient", domain: "rene",
            [
                context.gradient(), context.input(0), context.input(1), context.output(1), context.output(2),
                limits.isOpen ? nil : context.output(0),
            ], context.attributes, outputs: residual && !limits.isOpen ? 4 : 3)
        return [made[0], made[1], made[2], residual ? try limits.isOpen ? context.gradient() : made[3] : nil]
    }

    struct Limits {
        let lo: Float
        let hi: Float

        init(_ attributes: AttributeList) {
            lo = attributes.float("lo", otherwise: -.infinity)
            hi = attributes.float("hi", otherwise: .infinity)
        }

        var isOpen: Bool { lo == -.infinity && hi == .infinity }
    }

    private struct Extents {
        let outer: Int
        let channels: Int
        let inner: Int

        init(_ shape: [Int]) throws {
            guard shape.count >= 2, shape[0] > 0, shape[1] > 0 else {
                throw ExecutionError.shape("batch normalization of \(shape)")
            }
            (outer, channels, inner) = (shape[0], shape[1], shape[2...].reduce(1, *))
        }
    }
}
