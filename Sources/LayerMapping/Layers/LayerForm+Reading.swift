internal import ConverterKit
internal import Decompositions

/// A reason as an error, for `Result`.
struct KeepError: Error {
    let reason: KeepReason
}

extension LinearForm {
    /// The form of a Gemm or MatMul whose operand `input` is a weight of these extents.
    static func read(
        from node: Node, input: Int, weightShape: [Int], facts: LayerOperator
    ) -> Result<(LinearForm, LayerShape), KeepError> {
        let ones = weightShape.dropLast(2)
        guard weightShape.count >= 2 else { return .failure(KeepError(reason: .weightRank)) }
        guard ones.allSatisfy({ $0 == 1 }) else { return .failure(KeepError(reason: .batchedWeight)) }
        let rows = weightShape[weightShape.count - 2]
        let columns = weightShape[weightShape.count - 1]
        let isLeft = input == 0
        var storesInputFirst = !isLeft
        var activationOnLeft = !isLeft
        let isGemm = facts.form == .gemm
        if isGemm {
            guard ones.isEmpty else { return .failure(KeepError(reason: .weightRank)) }
            let transposes = [node[attribute: "transA"]?.int ?? 0, node[attribute: "transB"]?.int ?? 0]
            if transposes[input] != 0 { storesInputFirst.toggle() }
            if transposes[1 - input] != 0 { activationOnLeft.toggle() }
        }
        let form = LinearForm(
            weightInput: input, storesInputFirst: storesInputFirst, activationOnLeft: activationOnLeft,
            leadingOnes: ones.count, isGemm: isGemm)
        let shape = LayerShape(
            kind: .linear, inChannels: storesInputFirst ? rows : columns, outChannels: storesInputFirst ? columns : rows
        )
        return .success((form, shape))
    }
}

extension ConvolutionForm {
    /// The form of a Conv or ConvTranspose with a weight of these extents; `nil` when they or the attributes do not fit.
    static func read(
        from node: Node, weightShape: [Int], isTransposed: Bool
    ) -> (ConvolutionForm, LayerShape)? {
        let kernel = Array(weightShape.dropFirst(2))
        let axes = kernel.count
        let groups = node[attribute: "group"]?.int ?? 1
        guard groups > 0, weightShape.allSatisfy({ $0 > 0 }), weightShape[0] % groups == 0 else { return nil }
        if let stated = node[attribute: "kernel_shape"]?.ints, stated != kernel { return nil }
        func list(_ name: String, default value: Int, count: Int) -> [Int]? {
            guard let values = node[attribute: name]?.ints, !values.isEmpty else {
                return [Int](repeating: value, count: count)
            }
            return values.count == count ? values : nil
        }
        guard let strides = list("strides", default: 1, count: axes), strides.allSatisfy({ $0 > 0 }),
            let dilations = list("dilations", default: 1, count: axes), dilations.allSatisfy({ $0 > 0 }),
            let pads = list("pads", default: 0, count: 2 * axes),
            let outputPadding = list("output_padding", default: 0, count: axes)
        else { return nil }
        let (inChannels, overflow) = weightShape[1].multipliedReportingOverflow(by: groups)
        if overflow { return nil }
        var autoPad = node[attribute: "auto_pad"]?.text
        if autoPad == "NOTSET" || autoPad == "" { autoPad = nil }
        let form = ConvolutionForm(
            isTransposed: isTransposed, kernel: kernel, strides: strides, dilations: dilations, pads: pads,
            autoPad: autoPad, outputPadding: outputPadding, groups: groups)
        let shape = LayerShape(
            kind: isTransposed ? .transposedConvolution : .convolution,
            inChannels: isTransposed ? weightShape[0] : inChannels,
            outChannels: isTransposed ? inChannels : weightShape[0], groups: groups, kernel: kernel, strides: strides,
            inputExtent: [Int](repeating: 1, count: axes), outputExtent: [Int](repeating: 1, count: axes))
        return (form, shape)
    }
}
