import ConverterKit

@testable import LayerMapping

extension RuleTests {
    static let windows: [RuleCase] = [
        RuleCase("Conv", [real(1, 3, 7, 8), real(5, 3, 3, 2)], gives: [1, 5, 5, 7]),
        RuleCase(
            "Conv", [real(1, 3, 7, 8), real(5, 3, 3, 2)],
            [("strides", .ints([2, 3])), ("pads", .ints([1, 0, 1, 1])), ("dilations", .ints([1, 2]))],
            gives: [1, 5, 4, 3]),
        RuleCase(
            "Conv", [real(1, 3, 7), real(5, 3, 3)], [("auto_pad", text("SAME_UPPER")), ("strides", .ints([2]))],
            gives: [1, 5, 4]),
        RuleCase(
            "Conv", [real(1, 3, 7, 8, 9), real(5, 3, 2, 2, 2)], [("auto_pad", text("VALID"))], gives: [1, 5, 6, 7, 8]),
        RuleCase("Conv", [real(nil, 3, nil), real(5, 3, 3)], gives: [nil, 5, nil]),
        RuleCase("ConvInteger", [real(1, 3, 7), real(5, 3, 3)], gives: [1, 5, 5]),
        RuleCase("QLinearConv", [real(1, 3, 7), real(), real(), real(5, 3, 3)], gives: [1, 5, 5]),
        RuleCase("com.microsoft::FusedConv", [real(1, 3, 7), real(5, 3, 3)], gives: [1, 5, 5]),
        RuleCase(
            "ConvTranspose", [real(1, 3, 4, 5), real(3, 2, 3, 3)],
            [
                ("strides", .ints([2, 2])), ("pads", .ints([1, 1, 1, 1])), ("output_padding", .ints([1, 0])),
                ("group", .int(3)),
            ],
            gives: [1, 6, 8, 9]),
        RuleCase("ConvTranspose", [real(1, 3, 4), real(3, 2, 3)], [("output_shape", .ints([11]))], gives: [1, 2, 11]),
        RuleCase(
            "ConvTranspose", [real(1, 3, 4), real(3, 2, 3)],
            [("auto_pad", text("SAME_LOWER")), ("strides", .ints([3]))],
            gives: [1, 2, 12]),
        RuleCase(
            "MaxPool", [real(1, 3, 7, 7)], [("kernel_shape", .ints([2, 2])), ("strides", .ints([2, 2]))],
            gives: [1, 3, 3, 3], [1, 3, 3, 3]),
        RuleCase(
            "MaxPool", [real(1, 3, 7, 7)],
            [("kernel_shape", .ints([2, 2])), ("strides", .ints([2, 2])), ("ceil_mode", .int(1))], gives: [1, 3, 4, 4]),
        // The last window would start in the padding and is left out.
        RuleCase(
            "AveragePool", [real(1, 3, 5)],
            [("kernel_shape", .ints([2])), ("strides", .ints([3])), ("pads", .ints([0, 1])), ("ceil_mode", .int(1))],
            gives: [1, 3, 2]),
        RuleCase("LpPool", [real(1, 3, 5)], [("kernel_shape", .ints([3]))], gives: [1, 3, 3]),
        RuleCase("GlobalAveragePool", [real(1, 3, 7, 7)], gives: [1, 3, 1, 1]),
        RuleCase("GlobalMaxPool", [real(1, 3, 7)], gives: [1, 3, 1]),
        RuleCase("GlobalLpPool", [real(1, 3, 7)], gives: [1, 3, 1]),
        RuleCase(
            "MaxRoiPool", [real(1, 3, 7, 7), real(9, 5)], [("pooled_shape", .ints([2, 4]))], gives: [9, 3, 2, 4]),
        RuleCase("RoiAlign", [real(1, 3, 7, 7), real(9, 4)], [("output_height", .int(5))], gives: [9, 3, 5, 1]),
    ]

    static let matrices: [RuleCase] = [
        RuleCase("MatMul", [real(2, 1, 3, 4), real(5, 4, 6)], gives: [2, 5, 3, 6]),
        RuleCase("MatMul", [real(4), real(4, 6)], gives: [6]),
        RuleCase("MatMul", [real(2, 3, 4), real(4)], gives: [2, 3]),
        RuleCase("MatMulInteger", [real(3, 4), real(4, 6)], gives: [3, 6]),
        RuleCase("QLinearMatMul", [real(3, 4), real(), real(), real(4, 6)], gives: [3, 6]),
        RuleCase("Gemm", [real(4, 3), real(6, 4)], [("transA", .int(1)), ("transB", .int(1))], gives: [3, 6]),
        RuleCase("com.microsoft::FusedGemm", [real(3, 4), real(4, 6)], gives: [3, 6]),
        RuleCase(
            "com.microsoft::FusedMatMul", [real(2, 4, 3), real(2, 6, 4)], [("transA", .int(1)), ("transB", .int(1))],
            gives: [2, 3, 6]),
        RuleCase("Einsum", [real(2, 3, 4), real(2, 4, 5)], [("equation", text("bij, bjk -> bik"))], gives: [2, 3, 5]),
        RuleCase("Einsum", [real(3, 4), real(4, 5)], [("equation", text("ij,jk"))], gives: [3, 5]),
    ]

    static let layouts: [RuleCase] = [
        RuleCase("Reshape", [real(2, 3, 4), whole(0, -1)], gives: [2, 12]),
        RuleCase("Reshape", [real(2, 3, 4), whole(nil, 4)], gives: [6, 4]),
        RuleCase("Reshape", [real(2, 3, 4)], [("shape", .ints([4, -1]))], set: 1, gives: [4, 6]),
        RuleCase("Reshape", [real(0, 3), whole(0, 7)], [("allowzero", .int(1))], gives: [0, 7]),
        RuleCase("Reshape", [real(2, 3), ValueFact(shape: [3], type: 7)], gives: [nil, nil, nil]),
        RuleCase("Flatten", [real(2, 3, 4)], [("axis", .int(2))], gives: [6, 4]),
        RuleCase("Flatten", [real(2, 3, 4)], [("axis", .int(0))], gives: [1, 24]),
        RuleCase("Transpose", [real(2, 3, 4)], gives: [4, 3, 2]),
        RuleCase("Transpose", [real(2, 3, 4)], [("perm", .ints([1, 0, 2]))], gives: [3, 2, 4]),
        RuleCase("Squeeze", [real(1, 3, 1)], gives: [3]),
        RuleCase("Squeeze", [real(1, 3, 1)], [("axes", .ints([0]))], set: 11, gives: [3, 1]),
        RuleCase("Squeeze", [real(1, 3, 1), whole(-1)], set: 13, gives: [1, 3]),
        RuleCase("Unsqueeze", [real(3)], [("axes", .ints([0, 2]))], set: 11, gives: [1, 3, 1]),
        RuleCase("Unsqueeze", [scalar(7), whole(0)], set: 13, gives: [1], content: [7]),
        RuleCase("DepthToSpace", [real(1, 8, 3, 5)], [("blocksize", .int(2))], gives: [1, 2, 6, 10]),
        RuleCase("SpaceToDepth", [real(1, 2, 6, 10)], [("blocksize", .int(2))], gives: [1, 8, 3, 5]),
    ]

    static let parts: [RuleCase] = [
        RuleCase("Concat", [real(2, 3), real(2, 4)], [("axis", .int(-1))], gives: [2, 7]),
        RuleCase(
            "Concat", [whole(1, nil), ValueFact(shape: [1], type: 7)], [("axis", .int(0))], gives: [3],
            content: [1, nil, nil]),
        RuleCase("Split", [real(2, 7)], [("axis", .int(1))], gives: [2, 4], [2, 3]),
        RuleCase("Split", [real(6)], [("split", .ints([1, 5]))], set: 11, gives: [1], [5]),
        RuleCase("Split", [real(6), whole(2, 4)], set: 13, gives: [2], [4]),
        RuleCase("Tile", [real(2, 3), whole(1, 4)], gives: [2, 12]),
        RuleCase("Expand", [real(3, 1), whole(2, 1, 5)], gives: [2, 3, 5]),
        RuleCase("Pad", [real(2, 3), whole(0, 1, 0, 2)], gives: [2, 6]),
        RuleCase("Pad", [real(2, 3)], [("pads", .ints([1, 0, 0, 0]))], set: 10, gives: [3, 3]),
        RuleCase("Pad", [real(2, 3)], [("paddings", .ints([1, 0, 0, 0]))], set: 1, gives: [3, 3]),
        RuleCase("Pad", [real(2, 3), whole(1, 1), nil, whole(-1)], set: 18, gives: [2, 5]),
        RuleCase(
            "Slice", [real(2, 9)], [("starts", .ints([1])), ("ends", .ints([100])), ("axes", .ints([1]))], set: 9,
            gives: [2, 8]),
        RuleCase("Slice", [real(2, 9), whole(-3), whole(Int.max), whole(1), whole(2)], gives: [2, 2]),
        RuleCase(
            "Slice", [whole(1, 2, 3, 4), whole(-1), whole(Int.min), whole(0), whole(-1)], gives: [4],
            content: [4, 3, 2, 1]),
        RuleCase("Slice", [real(2, 9), ValueFact(shape: [1]), whole(5), whole(1)], gives: [2, nil]),
        RuleCase("Gather", [real(5, 4), real(2, 3)], [("axis", .int(1))], gives: [5, 2, 3]),
        RuleCase("Gather", [whole(7, 8, 9), scalar(-1)], gives: [], content: [9]),
        RuleCase("GatherElements", [real(5, 4), real(2, 3)], gives: [2, 3]),
        RuleCase("GatherND", [real(5, 4, 3), real(7, 2)], gives: [7, 3]),
        RuleCase("TopK", [real(2, 9), whole(4)], gives: [2, 4], [2, 4]),
        RuleCase("TopK", [real(2, 9)], [("k", .int(3)), ("axis", .int(0))], set: 1, gives: [3, 9]),
        RuleCase("OneHot", [real(2, 3), scalar(10), real(2)], gives: [2, 3, 10]),
        RuleCase("NonZero", [real(2, 3)], gives: [2, nil]),
        RuleCase("NonMaxSuppression", [real(1, 9, 4)], gives: [nil, 3]),
        RuleCase("Where", [real(2, 1), real(1, 3), real()], gives: [2, 3]),
        RuleCase("ArgMax", [real(2, 3)], [("axis", .int(1))], gives: [2, 1]),
        RuleCase("ArgMin", [real(2, 3)], [("axis", .int(0)), ("keepdims", .int(0))], gives: [3]),
    ]

    static let constants: [RuleCase] = [
        RuleCase("Constant", [], [("value_ints", .ints([4, 5]))], gives: [2], content: [4, 5]),
        RuleCase("Shape", [real(2, nil, 4)], gives: [3], content: [2, nil, 4]),
        RuleCase("Shape", [real(2, 3, 4)], [("start", .int(-2)), ("end", .int(-1))], gives: [1], content: [3]),
        RuleCase("Size", [real(2, 3)], gives: [], content: [6]),
        RuleCase("ConstantOfShape", [whole(2, 2)], gives: [2, 2], content: [0, 0, 0, 0]),
        RuleCase("Range", [scalar(1), scalar(8), scalar(3)], gives: [3], content: [1, 4, 7]),
        RuleCase("RandomNormal", [], [("shape", .ints([2, 3]))], gives: [2, 3]),
        RuleCase("RandomUniform", [], [("shape", .ints([2, 3]))], gives: [2, 3]),
        RuleCase("Div", [scalar(-7), scalar(2)], gives: [], content: [-3]),
        RuleCase("Mul", [whole(2, nil), scalar(3)], gives: [2], content: [6, nil]),
        RuleCase("Floor", [numbers(2.7, -2.2)], gives: [2], content: [2, -3]),
        RuleCase("Cast", [numbers(2.7)], [("to", .int(7))], gives: [1], content: [2]),
        RuleCase("ReduceProd", [whole(2, 3, 4)], [("keepdims", .int(0))], gives: [], content: [24]),
        RuleCase(
            "Transpose", [ValueFact(shape: [2, 2], type: 7, content: [1, 2, 3, 4])], gives: [2, 2],
            content: [1, 3, 2, 4]),
        RuleCase(
            "Slice",
            [
                ValueFact(shape: [2, 2], type: 7, content: [1, 2, 3, 4]), whole(-1), whole(Int.min), whole(0),
                whole(-1),
            ],
            gives: [2, 2], content: [3, 4, 1, 2]),
    ]

    static let others: [RuleCase] = [
        RuleCase("Resize", [real(1, 3, 4, 5), nil, numbers(1, 1, 2, 1.5)], gives: [1, 3, 8, 7]),
        RuleCase("Resize", [real(1, 3, 4, 5), numbers(1, 1, 2, 2)], set: 10, gives: [1, 3, 8, 10]),
        RuleCase("Resize", [real(1, 3, 4, 5), nil, nil, whole(1, 3, 9, 11)], gives: [1, 3, 9, 11]),
        RuleCase(
            "Resize", [real(1, 3, 4, 5), nil, nil, whole(9, 11)], [("axes", .ints([2, 3]))], set: 18,
            gives: [1, 3, 9, 11]),
        RuleCase("Upsample", [real(1, 3, 4, 5)], [("scales", .floats([1, 1, 2, 2]))], set: 7, gives: [1, 3, 8, 10]),
        RuleCase("Upsample", [real(1, 3, 4, 5), numbers(1, 1, 3, 3)], set: 9, gives: [1, 3, 12, 15]),
        RuleCase("GridSample", [real(1, 3, 4, 5), real(1, 7, 8, 2)], gives: [1, 3, 7, 8]),
        RuleCase(
            "LSTM", [real(9, 2, 3), real(2, 16, 3), real(2, 16, 4)], [("direction", text("bidirectional"))],
            gives: [9, 2, 2, 4], [2, 2, 4], [2, 2, 4]),
        RuleCase(
            "GRU", [real(2, 9, 3), real(1, 12, 3), real(1, 12, 4)], [("layout", .int(1)), ("hidden_size", .int(4))],
            gives: [2, 9, 1, 4], [2, 1, 4]),
        RuleCase("RNN", [real(9, 2, 3), real(1, 4, 3), real(1, 4, 4)], gives: [9, 1, 2, 4], [1, 2, 4]),
        RuleCase("LayerNormalization", [real(2, 3, 4), real(4)], gives: [2, 3, 4], [2, 3, 1], [2, 3, 1]),
        RuleCase("BatchNormalization", [real(2, 3, 4)], [("training_mode", .int(1))], gives: [2, 3, 4], [3], [3]),
        RuleCase(
            "com.microsoft::Attention", [real(1, 9, 8), real(8, 24)], [("num_heads", .int(2))], gives: [1, 9, 8],
            [2, 1, 2, 9, 4]),
        RuleCase(
            "com.microsoft::EmbedLayerNormalization", [real(1, 9), nil, real(100, 8)], gives: [1, 9, 8], [1], [1, 9, 8]),
        RuleCase("Attention", [real(1, 2, 9, 4), real(1, 2, 7, 4), real(1, 2, 7, 5)], set: 23, gives: [1, 2, 9, 5]),
        RuleCase(
            "Attention", [real(1, 9, 8), real(1, 7, 4), real(1, 7, 4)],
            [("q_num_heads", .int(4)), ("kv_num_heads", .int(2))], set: 23, gives: [1, 9, 8]),
        RuleCase("com.microsoft::QLinearAdd", [real(2, 3), nil, nil, real(3)], gives: [2, 3]),
    ]
}
