internal import ConverterKit
internal import LinearAlgebra

/// Convolutions of integers less their zero points, exact as `IntegerProductOperators`.
enum IntegerConvolutionOperators {
    static let all = [convInteger, quantizedConv]

    ///     Y = (X − x₀) ∗ (W − w₀) in 32 bits
    static let convInteger = Operator("ConvInteger") { preparation in
        let form = try IntegerConvolution(preparation, x: 0, xZero: 2, w: 1, wZero: 3)
        let fact = TensorFact(type: .int32, shape: form.shape.outputShape)
        return Prepared([fact], scratch: form.scratch, macs: form.shape.macs) { arguments in
            let y = unsafe arguments.output(0, Int32.self)
            form.run(arguments) { _, offset, sum in
                unsafe y[offset] = Int32(truncatingIfNeeded: Int(sum))
            }
        }
    }

    ///     Y = clamp(round(((X − x₀) ∗ (W − w₀) + B)·(x·w/y)) + y₀)
    static let quantizedConv = Operator("QLinearConv") { preparation in
        let form = try IntegerConvolution(preparation, x: 0, xZero: 2, w: 3, wZero: 5)
        let type = try preparation.type(7)
        let target = try Quantization(preparation, type: type, scale: 6, zero: 7)
        let channels = form.shape.outChannels
        let scales = try preparation.fact(4)
        guard try preparation.fact(1) == TensorFact(type: .float32, shape: preparation.shape(1)),
            try preparation.fact(1).count == 1, scales.type == .float32, scales.count == 1 || scales.count == channels,
            try !preparation.isStated(8) || preparation.fact(8) == TensorFact(type: .int32, shape: [channels])
        else { throw ExecutionError.shape("QLinearConv has scales of \(scales.shape) for \(channels) channels") }
        let isShared = scales.count == 1
        let fact = TensorFact(type: type, shape: form.shape.outputShape)
        func make<Q: IntegerElement>(_: Q.Type) -> Prepared {
            Prepared([fact], scratch: form.scratch, macs: form.shape.macs) { arguments in
                let quantizer = target.quantizer(arguments, Q.self)
                let (x, w) = unsafe (arguments.input(1, Float.self)[0], arguments.input(4, Float.self))
                let bias = unsafe arguments.optionalInput(8, Int32.self)
                let y = unsafe arguments.output(0, Q.self)
                form.run(arguments) { channel, offset, sum in
                    let scale = unsafe x * w[isShared ? 0 : channel] / quantizer.scale
                    let total = unsafe Float(sum + Double(bias?[channel] ?? 0))
                    unsafe y[offset] = Q(truncatingIfNeeded: quantizer.rounded(total * scale))
                }
            }
        }
        return make(try type.integerElement("QLinearConv"))
    }
}

/// A convolution of two inputs of integers: for each image, group and stretch of output pixels a matrix product of the
/// weights with what the windows cover.
struct IntegerConvolution: Sendable {
    let shape: ConvolutionShape
    private let table: WindowTable
    private let x: Int
    private let xZero: Int
    private let w: Int
    private let wZero: Int
    private let xType: ElementType
    private let wType: ElementType
    private let wZeros: Int
    private let threads: Int

    /// Output pixels at a time.
    private static let tile = 512

    init(_ preparation: Preparation, x: Int, xZero: Int, w: Int, wZero: Int) throws {
        let (input, weight) = (try preparation.fact(x), try preparation.fact(w))
        shape = try ConvolutionShape(preparation.attributes, input: input.shape, weight: weight.shape)
        table = try WindowTable(shape)
        (self.x, self.xZero, self.w, self.wZero) = (x, xZero, w, wZero)
        (xType, wType, threads) = (input.type, weight.type, max(1, preparation.threads))
        guard xType.quantizedRange != nil, wType.quantizedRange != nil else {
            throw ExecutionError.type("\(preparation.operation) of \(xType) and \(wType)")
        }
        var zeros = 1
        if preparation.isStated(xZero) {
            let fact = try preparation.fact(xZero)
            guard fact.type == xType, fact.count == 1 else {
                throw ExecutionError.shape("\(preparation.operation) has a zero point of \(fact.type) \(fact.shape)")
            }
        }
        if preparation.isStated(wZero) {
            let fact = try preparation.fact(wZero)
            zeros = fact.count
            guard fact.type == wType, zeros == 1 || zeros == shape.outChannels else {
                throw ExecutionError.shape("\(preparation.operation) has zero points of \(fact.type) \(fact.shape)")
            }
        }
        wZeros = zeros
        let columns = depth.multipliedReportingOverflow(by: Self.tile)
        guard !columns.overflow, depth <= Int(Int32.max), shape.outChannels <= Int(Int32.max) else {
            throw ExecutionError.shape("\(preparation.operation) of \(input.shape) is too large")
        }
        _ = try [threads, depth + shape.outChannelsPerGroup, Self.tile].elementCount()
    }

    /// Products in one sum.
    private var depth: Int { shape.inChannelsPerGroup * shape.taps }
    private var own: Int { (depth + shape.outChannelsPerGroup) * Self.tile }
    var scratch: Int { (shape.weightCount + threads * own) * MemoryLayout<Double>.stride }

    /// Calls `store` with channel, place in the output, and sum.
    func run(_ arguments: KernelArguments, _ store: (Int, Int, Double) -> Void) {
        let weights = unsafe arguments.scratch(Double.self)
        unsafe readWeights(arguments, into: weights)
        let tiles = (shape.outputPlane + Self.tile - 1) / Self.tile
        let items = shape.batch * shape.groups * tiles
        BLAS.withSingleThread {
            arguments.pool.run { part, parts in
                guard part < threads else { return }
                let memory = unsafe weights + shape.weightCount + part * own
                for item in stride(from: part, to: items, by: min(parts, threads)) {
                    let (image, group) = (item / tiles / shape.groups, item / tiles % shape.groups)
                    let first = item % tiles * Self.tile
                    unsafe tile(
                        arguments, image, group, first..<min(shape.outputPlane, first + Self.tile), weights, memory,
                        store)
                }
            }
        }
    }

    private func tile(
        _ arguments: KernelArguments, _ image: Int, _ group: Int, _ places: Range<Int>,
        _ weights: UnsafeMutablePointer<Double>, _ memory: UnsafeMutablePointer<Double>,
        _ store: (Int, Int, Double) -> Void
    ) {
        let channels = shape.inChannelsPerGroup
        let first = (image * shape.inChannels + group * channels) * shape.inputPlane
        func gather<Q: IntegerElement>(_: Q.Type) {
            let zero =
                unsafe arguments.optionalInput(xZero, Q.self).map { unsafe Int32(truncatingIfNeeded: $0[0]) } ?? 0
            for channel in 0..<channels {
                let from = unsafe arguments.input(x, Q.self) + first + channel * shape.inputPlane
                for tap in 0..<table.taps {
                    let to = unsafe memory + (channel * table.taps + tap) * places.count
                    for (index, place) in places.enumerated() {
                        let offset = Int(table.offsets[tap * table.places + place])
                        unsafe to[index] = offset < 0 ? 0 : Double(Int32(truncatingIfNeeded: from[offset]) - zero)
                    }
                }
            }
        }
        switch xType.storage {
        case .int8: gather(Int8.self)
        case .uint8: gather(UInt8.self)
        case .int16: gather(Int16.self)
        default: gather(UInt16.self)
        }
        let rows = shape.outChannelsPerGroup
        let sums = unsafe memory + depth * Self.tile
        let n = Int32(places.count)
        unsafe Double.uncheckedGemm(
            transposeA: false, transposeB: false, m: Int32(rows), n: n, k: Int32(depth), alpha: 1,
            a: weights + group * rows * depth, lda: Int32(depth), b: memory, ldb: n, beta: 0, c: sums, ldc: n)
        for row in 0..<rows {
            let channel = group * rows + row
            let offset = (image * shape.outChannels + channel) * shape.outputPlane + places.lowerBound
            for index in 0..<places.count {
                unsafe store(channel, offset + index, sums[row * places.count + index])
            }
        }
    }

    private func readWeights(_ arguments: KernelArguments, into to: UnsafeMutablePointer<Double>) {
        func read<Q: IntegerElement>(_: Q.Type) {
            let from = unsafe arguments.input(w, Q.self)
            let zeros = unsafe arguments.optionalInput(wZero, Q.self)
            for channel in 0..<shape.outChannels {
                let zero = unsafe zeros.map { unsafe Int32(truncatingIfNeeded: $0[wZeros == 1 ? 0 : channel]) } ?? 0
                for index in channel * depth..<(channel + 1) * depth {
                    unsafe to[index] = Double(Int32(truncatingIfNeeded: from[index]) - zero)
                }
            }
        }
        switch wType.storage {
        case .int8: read(Int8.self)
        case .uint8: read(UInt8.self)
        case .int16: read(Int16.self)
        default: read(UInt16.self)
        }
    }
}
