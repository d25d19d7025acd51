internal import ConverterKit

/// Conv, ConvTranspose and their integer forms: `[N, C, spatial…]`.
enum ConvolutionRules {
    static let table: [String: InferenceRule] = [
        "Conv": { convolution($0, weight: 1) },
        "ConvInteger": { convolution($0, weight: 1, type: ElementType.int32.rawValue) },
        "QLinearConv": { convolution($0, weight: 3, type: $0.input(7)?.type) },
        "com.microsoft::FusedConv": { convolution($0, weight: 1) },
        "ConvTranspose": transposed,
    ]

    private static func convolution(_ context: RuleContext, weight: Int, type: Int32? = nil) -> [ValueFact] {
        let result = ValueFact(type: type ?? context.input(0)?.type)
        guard let input = context.shape(0), let kernel = context.shape(weight), input.count == kernel.count,
            input.count >= 3
        else { return [result] }
        let window = Window(context, kernel: Array(kernel[2...]))
        return [ValueFact(shape: [input[0], kernel[0]] + window.extents(over: Array(input[2...])), type: result.type)]
    }

    private static func transposed(_ context: RuleContext) -> [ValueFact] {
        let type = context.input(0)?.type
        guard let input = context.shape(0), let kernel = context.shape(1), input.count == kernel.count,
            input.count >= 3
        else { return [ValueFact(type: type)] }
        let axes = input.count - 2
        let channels = kernel[1].map { $0 * (context.int("group") ?? 1) }
        if let stated = context.ints("output_shape"), stated.count >= axes {
            return [ValueFact(shape: [input[0], channels] + stated.suffix(axes).map { $0 }, type: type)]
        }
        let window = Window(context, kernel: Array(kernel[2...]))
        let padding = context.ints("output_padding") ?? []
        let spatial = (0..<axes).map { axis -> Int? in
            guard let extent = input[2 + axis], let size = window.span(axis) else { return nil }
            let stride = window.stride(axis)
            switch window.autoPad {
            case "SAME_UPPER", "SAME_LOWER": return extent * stride
            default:
                let extra = padding.indices.contains(axis) ? padding[axis] : 0
                return stride * (extent - 1) + extra + size - window.pad(axis)
            }
        }
        return [ValueFact(shape: [input[0], channels] + spatial, type: type)]
    }
}
