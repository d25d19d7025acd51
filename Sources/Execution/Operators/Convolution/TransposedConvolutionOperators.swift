internal import ConverterKit

/// ConvTranspose: the gradient of a convolution in its input.
enum TransposedConvolutionOperators {
    static let all = [convTranspose]

    /// X `[batch, channels, axes…]`, W `[channels, out / groups, kernel…]`, B `[out]`.
    static let convTranspose = Operator("ConvTranspose", gradient: gradient) { preparation in
        let (x, weight) = (try preparation.fact(0), try preparation.fact(1))
        guard x.type == weight.type else {
            throw ExecutionError.type("ConvTranspose of \(x.type) with \(weight.type)")
        }
        let shape = try convolution(preparation.attributes, x.shape, weight.shape)
        if preparation.isStated(2), try preparation.fact(2) != TensorFact(type: x.type, shape: [shape.inChannels]) {
            throw ExecutionError.shape("ConvTranspose with a bias of \(try preparation.shape(2))")
        }
        func make<T: Element>(_: T.Type) -> Kernel {
            let algorithm = ConvolutionAlgorithm<T>(shape)
            return { arguments in
                guard shape.batch > 0 else { return }
                let y = unsafe arguments.output(0, T.self)
                try unsafe algorithm.inputGradient(
                    arguments.input(0), weight: arguments.input(1), into: y, pool: arguments.pool)
                guard let bias = unsafe arguments.optionalInput(2, T.self) else { return }
                arguments.pool.split(shape.batch * shape.inChannels) { planes in
                    for plane in planes {
                        unsafe add(bias[plane % shape.inChannels], to: y + plane * shape.inputPlane, shape.inputPlane)
                    }
                }
            }
        }
        return Prepared(
            [TensorFact(type: x.type, shape: shape.inputShape)], macs: shape.macs,
            kernel: make(try x.numericElement("ConvTranspose")))
    }

    @specialized(where T == Float)
    private static func add<T: Element>(_ bias: T, to y: UnsafeMutablePointer<T>, _ count: Int) {
        for index in 0..<count { unsafe y[index] = T.adding(y[index], bias) }
    }

    /// The convolution from Y to X.
    private static func convolution(_ attributes: AttributeList, _ x: [Int], _ weight: [Int]) throws
        -> ConvolutionShape
    {
        let rank = x.count - 2
        guard (1...3).contains(rank), weight.count == x.count, weight[0] == x[1] else {
            throw ExecutionError.shape("ConvTranspose of \(x) with a weight of \(weight)")
        }
        let window = try WindowAttributes(attributes, rank: rank, kernel: Array(weight[2...]))
        let groups = attributes.int("group", otherwise: 1)
        let zeros = [Int](repeating: 0, count: rank)
        let extra = attributes.ints("output_padding") ?? zeros
        let stated = attributes.ints("output_shape").map { Array($0.suffix(rank)) }
        let (channels, overflow) = weight[1].multipliedReportingOverflow(by: groups)
        guard !overflow, extra.count == rank, extra.allSatisfy({ $0 >= 0 && $0 < WindowAttributes.limit }),
            stated.map({ $0.count == rank && $0.allSatisfy { $0 > 0 && $0 < WindowAttributes.limit } }) ?? true,
            x.allSatisfy({ $0 < WindowAttributes.limit })
        else { throw ExecutionError.attribute("ConvTranspose with output_padding \(extra)") }
        var (before, after) = (Array(window.explicitPads[..<rank]), Array(window.explicitPads[rank...]))
        var output: [Int] = []
        for axis in 0..<rank {
            let whole = try window.strides[axis] * (x[axis + 2] - 1) + extra[axis] + window.reach(axis)
            if let wanted = stated?[axis] ?? (window.isSame ? x[axis + 2] * window.strides[axis] : nil) {
                let total = max(0, whole - wanted)
                before[axis] = window.isUpper ? total / 2 : total - total / 2
                after[axis] = total - before[axis]
                output.append(wanted)
            } else {
                output.append(whole - before[axis] - after[axis])
            }
        }
        return try ConvolutionShape(
            batch: x[0], inChannels: channels, outChannels: x[1], groups: groups, input: output,
            kernel: window.kernel, strides: window.strides, dilations: window.dilations, padsBefore: before,
            padsAfter: after, output: Array(x[2...]))
    }

    private static let gradient: GradientRule = { context in
        let (x, weight, dy) = (try context.input(0), try context.input(1), try context.gradient())
        let shape = try convolution(context.attributes, context.shape(x), context.shape(weight))
        var gradients: [ValueID?] = [nil, nil, nil]
        if context.wants(0) {
            var attributes = shape.attributes
            attributes.set("output_shape", shape.output)
            gradients[0] = try context.emit("Conv", [dy, weight], attributes)
        }
        if context.wants(1) {
            gradients[1] = try context.emit("ConvWeightGradient", domain: "rene", [x, dy], shape.attributes)
        }
        if context.wants(2) { gradients[2] = try context.sumOverPixels(dy) }
        return gradients
    }
}
