internal import CKernels
internal import ConverterKit

/// Two-dimensional convolutions in the layout of lanes, and their gradients: operators of the program's own, which
/// `LaneRewrite` puts in place of Conv and its gradients.
enum LaneConvolution {
    static let operators = [forward, inputGradient, weightGradient]

    /// `y = clamp(x ∗ w + bias + residual, lo, hi)`.
    ///
    /// Inputs: `x [B, Cin, H, W, 16]`, `w [Cout, Cin/groups, kh, kw]`, optional `bias [Cout]`, optional `residual` of the
    /// output's extents. Attributes: those of Conv, explicit, and `lo`, `hi`.
    static let forward = Operator("LaneConv", domain: "rene") { preparation in
        let x = try preparation.shape(0)
        let weight = try preparation.shape(1)
        let conv = try geometry(preparation.attributes, input: x, weight: weight)
        let output = [x[0], weight[0], Int(conv.out_h), Int(conv.out_w), LaneLayout.lanes]
        if preparation.isStated(3), try preparation.shape(3) != output {
            throw ExecutionError.shape("the residual of a convolution is not of the shape \(output)")
        }
        let algorithm = unsafe withUnsafePointer(to: conv) { unsafe rene_lane_conv_algorithm($0, rene_lane_forward) }
        let packing = Packing(conv, pass: rene_lane_forward, algorithm: algorithm, threads: preparation.threads)
        let constant = try preparation.inputs[1]?.constant.map { try packing.packed($0) }
        let lo = preparation.attributes.float("lo", otherwise: -.infinity)
        let hi = preparation.attributes.float("hi", otherwise: .infinity)
        return Prepared(
            [TensorFact(type: .float32, shape: output)], scratch: packing.byteCount(isPacked: constant != nil),
            overwritable: [3], macs: macs(conv)
        ) { arguments in
            let scratch = unsafe arguments.scratch(Float.self)
            let packed: UnsafePointer<Float>
            let working: UnsafeMutablePointer<Float>
            if let constant {
                unsafe (packed, working) = (constant.base.assumingMemoryBound(to: Float.self).asConstant, scratch)
            } else {
                unsafe packing.pack(arguments.input(1), into: scratch)
                unsafe (packed, working) = (UnsafePointer(scratch), scratch + packing.floats)
            }
            unsafe withUnsafePointer(to: conv) { conv in
                arguments.pool.run { part, parts in
                    unsafe rene_lane_conv_forward(
                        conv, algorithm, arguments.input(0), packed, arguments.optionalInput(2),
                        arguments.optionalInput(3), lo, hi, arguments.output(), working + part * packing.partFloats,
                        Int32(part), Int32(parts))
                }
            }
        }
    }

    /// `dx` from `dy` and `w`; attribute `input_shape` has the extents of `x` in lanes.
    static let inputGradient = Operator("LaneConvInputGradient", domain: "rene") { preparation in
        let (dy, weight) = (try preparation.shape(0), try preparation.shape(1))
        let input = preparation.attributes.ints("input_shape") ?? []
        let conv = try geometry(preparation.attributes, input: input, weight: weight)
        try check(dy, against: conv)
        let algorithm = unsafe withUnsafePointer(to: conv) {
            unsafe rene_lane_conv_algorithm($0, rene_lane_input_gradient)
        }
        let packing = Packing(
            conv, pass: rene_lane_input_gradient, algorithm: algorithm, threads: preparation.threads)
        return Prepared(
            [TensorFact(type: .float32, shape: input)], scratch: packing.byteCount(isPacked: false), macs: macs(conv)
        ) { arguments in
            let scratch = unsafe arguments.scratch(Float.self)
            unsafe packing.pack(arguments.input(1), into: scratch)
            unsafe withUnsafePointer(to: conv) { conv in
                arguments.pool.run { part, parts in
                    unsafe rene_lane_conv_input_gradient(
                        conv, algorithm, arguments.input(0), scratch, arguments.output(),
                        scratch + packing.floats + part * packing.partFloats, Int32(part), Int32(parts))
                }
            }
        }
    }

    /// `dw` from `dy` and `x`; attribute `kernel_shape` and `out_channels` say what `w` is like. Output 1 is the bias's
    /// gradient when it is wanted. Lanes of `dy` beyond the last image are zero.
    static let weightGradient = Operator("LaneConvWeightGradient", domain: "rene") { preparation in
        let (dy, x) = (try preparation.shape(0), try preparation.shape(1))
        let kernel = preparation.attributes.ints("kernel_shape") ?? []
        let groups = preparation.attributes.int("group", otherwise: 1)
        guard dy.count == 5, x.count == 5, kernel.count == 2, groups > 0 else {
            throw ExecutionError.shape("\(dy) and \(x) are no images in lanes")
        }
        let weight = [dy[1], x[1] / groups] + kernel
        let conv = try geometry(preparation.attributes, input: x, weight: weight)
        try check(dy, against: conv)
        let algorithm = unsafe withUnsafePointer(to: conv) {
            unsafe rene_lane_conv_algorithm($0, rene_lane_weight_gradient)
        }
        let scratchFloats = unsafe withUnsafePointer(to: conv) {
            padded(unsafe rene_lane_conv_scratch_floats($0, rene_lane_weight_gradient, algorithm))
        }
        let count = weight.reduce(1, *)
        let bias = preparation.isWanted(1)
        let partFloats = padded(count) + padded(bias ? dy[1] : 0) + scratchFloats
        var outputs = [TensorFact(type: .float32, shape: weight)]
        if bias { outputs.append(TensorFact(type: .float32, shape: [dy[1]])) }
        return Prepared(outputs, scratch: preparation.threads * partFloats * 4, macs: macs(conv)) { arguments in
            let scratch = unsafe arguments.scratch(Float.self)
            unsafe withUnsafePointer(to: conv) { conv in
                arguments.pool.run { part, parts in
                    let own = unsafe scratch + part * partFloats
                    let ownBias = unsafe bias ? own + padded(count) : nil
                    unsafe rene_lane_conv_weight_gradient(
                        conv, algorithm, arguments.input(1), arguments.input(0), own, ownBias,
                        own + padded(count) + padded(bias ? dy[1] : 0), Int32(part), Int32(parts))
                }
            }
            unsafe add(scratch, parts: arguments.pool.width, stride: partFloats, count, into: arguments.output(0))
            if bias {
                unsafe add(
                    scratch + padded(count), parts: arguments.pool.width, stride: partFloats, dy[1],
                    into: arguments.output(1))
            }
        }
    }

    /// The sum of the parts' arrays, in their order.
    @unsafe private static func add(
        _ parts: UnsafePointer<Float>, parts count: Int, stride: Int, _ length: Int,
        into sum: UnsafeMutablePointer<Float>
    ) {
        unsafe sum.update(from: parts, count: length)
        for part in 1..<max(1, count) {
            let own = unsafe parts + part * stride
            for index in 0..<length { unsafe sum[index] += own[index] }
        }
    }

    /// Floats rounded up to whole cache lines.
    static func padded(_ floats: Int) -> Int { (floats + 15) / 16 * 16 }

    private static func macs(_ conv: rene_lane_conv) -> Int {
        Int(conv.blocks) * LaneLayout.lanes * Int(conv.out_channels) * Int(conv.out_h) * Int(conv.out_w)
            * Int(conv.in_channels / conv.groups) * Int(conv.kernel_h) * Int(conv.kernel_w)
    }

    private static func check(_ dy: [Int], against conv: rene_lane_conv) throws {
        let wanted = [
            Int(conv.blocks), Int(conv.out_channels), Int(conv.out_h), Int(conv.out_w), LaneLayout.lanes,
        ]
        guard dy == wanted else { throw ExecutionError.shape("a gradient is \(dy) where \(wanted) is wanted") }
    }

    /// What the kernels need to know. Throws `execution.shape` for extents that do not fit.
    private static func geometry(_ attributes: AttributeList, input: [Int], weight: [Int]) throws -> rene_lane_conv {
        guard input.count == 5, input[4] == LaneLayout.lanes, weight.count == 4 else {
            throw ExecutionError.shape("\(input) is no image in lanes for the weight \(weight)")
        }
        let pads = attributes.ints("pads") ?? [0, 0, 0, 0]
        let shape = try ConvolutionShape(
            batch: input[0] * LaneLayout.lanes, inChannels: input[1], outChannels: weight[0],
            groups: attributes.int("group", otherwise: 1), input: Array(input[2...3]), kernel: Array(weight[2...]),
            strides: attributes.ints("strides") ?? [1, 1], dilations: attributes.ints("dilations") ?? [1, 1],
            padsBefore: Array(pads.prefix(2)), padsAfter: Array(pads.dropFirst(2)))
        guard weight[1] * shape.groups == input[1] else {
            throw ExecutionError.shape("a weight of \(weight) does not fit \(input[1]) channels")
        }
        return rene_lane_conv(
            blocks: Int32(input[0]), groups: Int32(shape.groups), in_channels: Int32(input[1]),
            out_channels: Int32(weight[0]), in_h: Int32(input[2]), in_w: Int32(input[3]),
            out_h: Int32(shape.output[0]), out_w: Int32(shape.output[1]), kernel_h: Int32(weight[2]),
            kernel_w: Int32(weight[3]), stride_h: Int32(shape.strides[0]), stride_w: Int32(shape.strides[1]),
            dilation_h: Int32(shape.dilations[0]), dilation_w: Int32(shape.dilations[1]),
            pad_top: Int32(shape.padsBefore[0]), pad_left: Int32(shape.padsBefore[1]))
    }

    /// Weights in the order in which a pass reads them, and the memory it works in.
    private struct Packing {
        let conv: rene_lane_conv
        let pass: rene_lane_pass
        let algorithm: rene_lane_algorithm
        let threads: Int
        /// Of the packed weights, and of the scratch of one part.
        let floats: Int
        let partFloats: Int

        init(_ conv: rene_lane_conv, pass: rene_lane_pass, algorithm: rene_lane_algorithm, threads: Int) {
            (self.conv, self.pass, self.algorithm, self.threads) = (conv, pass, algorithm, threads)
            (floats, partFloats) = unsafe withUnsafePointer(to: conv) { conv in
                unsafe (
                    padded(rene_lane_conv_packed_floats(conv, pass, algorithm)),
                    padded(rene_lane_conv_scratch_floats(conv, pass, algorithm))
                )
            }
        }

        func byteCount(isPacked: Bool) -> Int { ((isPacked ? 0 : floats) + threads * partFloats) * 4 + 64 }

        @unsafe func pack(_ weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>) {
            unsafe withUnsafePointer(to: conv) { conv in
                unsafe rene_lane_conv_pack(conv, pass, algorithm, weight, packed)
            }
        }

        func packed(_ weight: TensorValue) throws -> Buffer {
            let buffer = Buffer(byteCount: floats * 4)
            unsafe pack(
                weight.buffer.base.assumingMemoryBound(to: Float.self),
                into: buffer.base.assumingMemoryBound(to: Float.self))
            return buffer
        }
    }
}

extension UnsafeMutablePointer<Float> {
    @unsafe fileprivate var asConstant: UnsafePointer<Float> { unsafe UnsafePointer(self) }
}
