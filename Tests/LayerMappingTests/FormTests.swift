import ConverterKit
import Decompositions
import LayerMapping
import Testing

/// One form of a layer: the node, its constants, and what the layer must turn out to be.
struct FormCase: Sendable, CustomStringConvertible {
    var description: String
    var node: Node
    var constants: [(name: String, shape: [Int])]
    var input: [Int]
    var inChannels: Int
    var outChannels: Int
    var operatorSet: Int64 = 17
    var before: [Node] = []

    func model() throws -> Model {
        Build.single(
            node, weights: try constants.map { try Build.tensor($0.name, $0.shape) }, input: input,
            operatorSet: operatorSet, before: before)
    }
}

@Suite struct FormTests {
    static let forms: [FormCase] = convolutions + transposed + linear

    static let convolutions: [FormCase] = [
        conv(
            "one axis, stride and pads", [6, 4, 5], [1, 4, 11], [("strides", .ints([2])), ("pads", .ints([2, 1]))]),
        conv("two axes, asymmetric pads", [6, 4, 3, 2], [1, 4, 7, 6], [("pads", .ints([1, 0, 2, 1]))]),
        conv("two axes, dilations", [6, 4, 3, 3], [1, 4, 9, 9], [("dilations", .ints([2, 3]))]),
        conv("two axes, groups", [6, 2, 3, 3], [1, 4, 5, 5], [("group", .int(2)), ("pads", .ints([1, 1, 1, 1]))]),
        conv("three axes", [5, 4, 2, 3, 2], [1, 4, 4, 5, 4], [("strides", .ints([1, 2, 1]))]),
        conv(
            "same upper", [6, 4, 3, 2], [1, 4, 7, 6], [("auto_pad", text("SAME_UPPER")), ("strides", .ints([2, 2]))]),
        conv("same lower", [6, 4, 4, 2], [1, 4, 7, 6], [("auto_pad", text("SAME_LOWER"))]),
        conv("valid", [6, 4, 3, 3], [1, 4, 7, 6], [("auto_pad", text("VALID")), ("kernel_shape", .ints([3, 3]))]),
        conv("pads stated as not set", [6, 4, 3, 3], [1, 4, 7, 6], [("auto_pad", text("NOTSET"))]),
        conv("one by one", [6, 4, 1, 1], [1, 4, 5, 5], [("strides", .ints([2, 2]))]),
    ]

    static let transposed: [FormCase] = [
        transposedConv(
            "strides and pads", [4, 6, 3, 3], [1, 4, 5, 4],
            [("strides", .ints([2, 2])), ("pads", .ints([1, 0, 0, 1]))]),
        transposedConv(
            "output padding", [4, 6, 3, 3], [1, 4, 5, 4],
            [("strides", .ints([2, 3])), ("output_padding", .ints([1, 2]))]),
        transposedConv("dilations", [4, 6, 3, 2], [1, 4, 5, 4], [("dilations", .ints([2, 2]))]),
        transposedConv("groups", [4, 3, 3, 3], [1, 4, 5, 4], [("group", .int(2))], outChannels: 6),
        transposedConv(
            "same upper", [4, 6, 3, 3], [1, 4, 5, 4], [("auto_pad", text("SAME_UPPER")), ("strides", .ints([2, 2]))]),
        transposedConv("one axis", [4, 6, 3], [1, 4, 5], [("strides", .ints([2]))]),
    ]

    static let linear: [FormCase] = [
        gemm("weight right", ["x", "w", "c"], [4, 6], [3, 4]),
        gemm(
            "weight right, transposed", ["x", "w", "c"], [6, 4], [3, 4], [("transB", .int(1)), ("alpha", .float(0.5))]),
        gemm("activation transposed", ["x", "w", "c"], [4, 6], [4, 3], [("transA", .int(1)), ("beta", .float(2))]),
        gemm("both transposed", ["x", "w"], [6, 4], [4, 3], [("transA", .int(1)), ("transB", .int(1))]),
        gemm("weight left", ["w", "x"], [6, 4], [4, 3]),
        gemm("weight left, transposed", ["w", "x"], [4, 6], [4, 3], [("transA", .int(1))]),
        gemm("weight left, activation transposed", ["w", "x"], [6, 4], [3, 4], [("transB", .int(1))]),
        gemm("before operator set 11", ["x", "w", "c"], [4, 6], [4, 3], [("transA", .int(1))], operatorSet: 9),
        matMul("weight right", ["x", "w"], [4, 6], [3, 4]),
        matMul("weight right of a batch", ["x", "w"], [4, 6], [2, 3, 4]),
        matMul("weight left", ["w", "x"], [6, 4], [4, 3]),
        matMul("weight left of a batch", ["w", "x"], [6, 4], [2, 4, 3]),
        matMul("leading one that sets the rank", ["x", "w"], [1, 4, 6], [3, 4]),
        matMul("leading one on the left", ["w", "x"], [1, 6, 4], [4, 3]),
        matMul("a vector", ["x", "w"], [4, 6], [4]),
        matMul("a vector on the right", ["w", "x"], [6, 4], [4]),
    ]

    @Test(arguments: forms)
    func aFormIsFoundAndComputesTheSameAsAChain(form: FormCase) throws {
        let model = try form.model()
        // These layers are too small to pay; that is beside the point here.
        let layer = try #require(try largeEnough(model, form).layers.first, "\(form)")
        #expect(layer.shape.inChannels == form.inChannels, "\(form)")
        #expect(layer.shape.outChannels == form.outChannels, "\(form)")
        #expect(layer.isExtentKnown, "\(form)")
        let x = Dense.ramp(form.input)
        let expected = try Dense.run(model.graph, x: x, result: "h")
        for chain in [try Chain.identityLast(layer), try Chain.identityAround(layer)] {
            let result = try model.replacing([Replacement(layer: layer, chain: chain, decomposition: "tt")])
            let allowed: Set = ["Conv", "ConvTranspose", "Gemm", "MatMul", "Relu"]
            #expect(result.graph.nodes.allSatisfy { allowed.contains($0.operation) }, "\(form)")
            #expect(result.graph.nodes.count == chain.links.count + 1, "\(form)")
            #expect(result.operatorSetVersion() == form.operatorSet)
            let actual = try Dense.run(result.graph, x: x, result: "h")
            #expect(expected.relativeDifference(to: actual) < 1e-5, "\(form)")
        }
    }

    @Test(arguments: convolutions + transposed)
    func linksThatSplitTheAxesCarryEachItsOwn(form: FormCase) throws {
        let model = try form.model()
        let layer = try #require(try largeEnough(model, form).layers.first)
        let shape = layer.shape
        guard shape.kernel.count == 2, shape.groups == 1 else { return }
        // An exact split by axis: the first link has one channel for each input channel and tap of the first axis.
        let (taps, rest) = (shape.kernel[0], shape.kernel[1])
        let middle = shape.inChannels * taps
        var first = [Float](repeating: 0, count: middle * shape.inChannels * taps)
        for index in 0..<middle { first[index * middle + index] = 1 }
        let weight = try layer.weight()
        var second = [Float](repeating: 0, count: shape.outChannels * middle * rest)
        for out in 0..<shape.outChannels {
            for channel in 0..<shape.inChannels {
                for tap in 0..<taps {
                    for column in 0..<rest {
                        second[(out * middle + channel * taps + tap) * rest + column] =
                            weight[((out * shape.inChannels + channel) * taps + tap) * rest + column]
                    }
                }
            }
        }
        let chain = FactorChain(links: [
            FactorLink(
                shape: .init(inChannels: shape.inChannels, outChannels: middle, kernel: [taps, 1], axes: [0]),
                weight: first),
            FactorLink(
                shape: .init(inChannels: middle, outChannels: shape.outChannels, kernel: [1, rest], axes: [1]),
                weight: second),
        ])
        let x = Dense.ramp(form.input)
        let result = try model.replacing([Replacement(layer: layer, chain: chain, decomposition: "spatial-svd")])
        let difference = try Dense.run(model.graph, x: x, result: "h")
            .relativeDifference(to: Dense.run(result.graph, x: x, result: "h"))
        #expect(difference < 1e-5, "\(form)")
        #expect(result.graph.initializers.first?.name == "w/spatial-svd_0")
    }

    private func largeEnough(_ model: Model, _ form: FormCase) throws -> LayerMap {
        let map = try LayerMap(of: model)
        #expect(map.kept.isEmpty, "\(form): \(map.kept.map(\.message))")
        return map
    }

    private static func text(_ value: String) -> Attribute.Value { .string(Array(value.utf8)) }

    private static func conv(
        _ name: String, _ weight: [Int], _ input: [Int], _ attributes: [(String, Attribute.Value)]
    ) -> FormCase {
        FormCase(
            description: "Conv, " + name, node: Build.node("Conv", ["x", "w", "b"], ["h"], name: "n", attributes),
            constants: [("w", weight), ("b", [weight[0]])], input: input, inChannels: input[1], outChannels: weight[0])
    }

    private static func transposedConv(
        _ name: String, _ weight: [Int], _ input: [Int], _ attributes: [(String, Attribute.Value)],
        outChannels: Int? = nil
    ) -> FormCase {
        let outChannels = outChannels ?? weight[1]
        return FormCase(
            description: "ConvTranspose, " + name,
            node: Build.node("ConvTranspose", ["x", "w", "b"], ["h"], name: "n", attributes),
            constants: [("w", weight), ("b", [outChannels])], input: input, inChannels: weight[0],
            outChannels: outChannels)
    }

    private static func gemm(
        _ name: String, _ inputs: [String], _ weight: [Int], _ input: [Int],
        _ attributes: [(String, Attribute.Value)] = [], operatorSet: Int64 = 17
    ) -> FormCase {
        FormCase(
            description: "Gemm, " + name, node: Build.node("Gemm", inputs, ["h"], name: "n", attributes),
            constants: [("w", weight)] + (inputs.count > 2 ? [("c", [6])] : []), input: input, inChannels: 4,
            outChannels: 6, operatorSet: operatorSet)
    }

    private static func matMul(_ name: String, _ inputs: [String], _ weight: [Int], _ input: [Int]) -> FormCase {
        FormCase(
            description: "MatMul, " + name, node: Build.node("MatMul", inputs, ["h"], name: "n"),
            constants: [("w", weight)], input: input, inChannels: 4, outChannels: 6)
    }
}
