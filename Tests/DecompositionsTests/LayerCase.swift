import Decompositions
import LinearAlgebra
import Testing

/// A layer to try every decomposition on.
struct LayerCase: Sendable, CustomTestStringConvertible {
    let name: String
    let layer: LayerShape
    let axes: [PlainConvolution.Axis]

    var testDescription: String { name }

    /// `input` is the image's extent; the layer's output extent follows.
    init(
        _ name: String, _ kind: LayerShape.Kind, _ inChannels: Int, _ outChannels: Int, groups: Int = 1,
        kernel: [Int] = [], input: [Int] = [], _ axes: [PlainConvolution.Axis]? = nil
    ) {
        self.name = name
        self.axes = axes ?? kernel.map { _ in PlainConvolution.Axis() }
        var layer = LayerShape(
            kind: kind, inChannels: inChannels, outChannels: outChannels, groups: groups, kernel: kernel,
            strides: self.axes.map(\.stride))
        if kind != .linear {
            layer.inputExtent = input
            layer.outputExtent =
                PlainConvolution(layer, weight: [], self.axes).outputExtents(of: input)
        }
        self.layer = layer
    }

    /// A weight with a falling spectrum, as trained ones have: a few strong terms and noise.
    func weight(seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        let (inner, size) = (layer.inChannelsPerGroup, layer.kernelSize)
        var weight = generator.normals(layer.weightCount).map { 0.05 * $0 }
        for group in 0..<layer.groups {
            for term in 1...3 {
                let a = generator.normals(layer.outChannelsPerGroup)
                let b = generator.normals(inner)
                let c = generator.normals(size)
                for o in a.indices {
                    for i in b.indices {
                        for s in c.indices {
                            let row = group * layer.outChannelsPerGroup + o
                            weight[(row * inner + i) * size + s] += a[o] * b[i] * c[s] / Float(term)
                        }
                    }
                }
            }
        }
        return weight
    }

    static let all: [LayerCase] = [
        LayerCase("linear, wide", .linear, 20, 9),
        LayerCase("linear, tall", .linear, 9, 20),
        LayerCase(
            "convolution 1×1 with stride", .convolution, 10, 8, kernel: [1, 1], input: [5, 4],
            [
                .init(stride: 2), .init(stride: 2),
            ]),
        LayerCase(
            "convolution in one dimension", .convolution, 8, 6, kernel: [3], input: [11],
            [
                .init(stride: 2, dilation: 2, before: 1, after: 2)
            ]),
        LayerCase(
            "convolution 3×3", .convolution, 8, 6, kernel: [3, 3], input: [7, 6],
            [
                .init(before: 1, after: 1), .init(before: 1, after: 1),
            ]),
        LayerCase(
            "convolution 5×3, all apart by axis", .convolution, 5, 9, kernel: [5, 3], input: [12, 9],
            [
                .init(stride: 2, dilation: 1, before: 2, after: 1), .init(stride: 3, dilation: 2, before: 0, after: 3),
            ]),
        LayerCase(
            "convolution 1×7", .convolution, 6, 7, kernel: [1, 7], input: [3, 9],
            [
                .init(), .init(before: 3, after: 3),
            ]),
        LayerCase(
            "convolution 3×3 in groups", .convolution, 12, 8, groups: 2, kernel: [3, 3], input: [6, 5],
            [
                .init(stride: 2, before: 1), .init(before: 1, after: 1),
            ]),
        LayerCase(
            "convolution in three dimensions", .convolution, 5, 6, kernel: [2, 3, 2], input: [4, 5, 4],
            [
                .init(stride: 2, after: 1), .init(before: 1, after: 1), .init(dilation: 2),
            ]),
        LayerCase("convolution 1×3×3 in three dimensions", .convolution, 6, 5, kernel: [1, 3, 3], input: [3, 5, 4]),
        LayerCase(
            "transposed convolution", .transposedConvolution, 6, 8, kernel: [3, 4], input: [4, 3],
            [
                .init(stride: 2, before: 1, outputPadding: 1), .init(stride: 3, dilation: 2, before: 1, after: 2),
            ]),
        LayerCase(
            "transposed convolution in groups", .transposedConvolution, 12, 10, groups: 2, kernel: [3], input: [5],
            [.init(stride: 2, before: 1, after: 1)]),
    ]
}

/// Every pair of a decomposition and a layer that it applies to.
struct Subject: Sendable, CustomTestStringConvertible {
    let decomposition: any Decomposition
    let layerCase: LayerCase

    var layer: LayerShape { layerCase.layer }
    var testDescription: String { "\(decomposition.id), \(layerCase.name)" }
    var isCanonicalPolyadic: Bool { decomposition.id.hasPrefix("cp") }

    /// Ranks at a share of the largest, at least 1.
    func ranks(_ share: Double) -> [Int] {
        decomposition.largestRanks(for: layer).map { max(1, Int(Double($0) * share)) }
    }

    static let all: [Subject] = DecompositionRegistry.all.flatMap { decomposition in
        LayerCase.all.filter { decomposition.applies(to: $0.layer) }.map {
            Subject(decomposition: decomposition, layerCase: $0)
        }
    }
}

/// `‖a − b‖²`, in double.
func squaredDistance(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
}
