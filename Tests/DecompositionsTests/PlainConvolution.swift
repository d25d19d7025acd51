import Decompositions

/// Convolution by plain loops in double precision, in any number of dimensions: what the chains are held against.
struct PlainConvolution {
    /// Stride, dilation and pads on one axis.
    struct Axis: Sendable {
        var stride = 1
        var dilation = 1
        var before = 0
        var after = 0
        /// Of a transposed convolution.
        var outputPadding = 0
    }

    struct Image {
        var extents: [Int]
        /// `[channels, extents…]`.
        var values: [Double]
        var channels: Int { values.count / extents.reduce(1, *) }
    }

    var inChannels: Int
    var outChannels: Int
    var groups: Int
    var kernel: [Int]
    var weight: [Double]
    var axes: [Axis]
    var isTransposed: Bool

    /// The link of a chain in a layer with these axes.
    init(_ link: FactorLink, of layer: LayerShape, _ axes: [Axis]) {
        inChannels = link.shape.inChannels
        outChannels = link.shape.outChannels
        groups = link.shape.groups
        kernel = link.shape.kernel
        weight = link.weight.map(Double.init)
        self.axes = axes.indices.map { link.shape.axes.contains($0) ? axes[$0] : Axis() }
        isTransposed = layer.kind == .transposedConvolution && !link.shape.axes.isEmpty
    }

    /// The layer itself.
    init(_ layer: LayerShape, weight: [Float], _ axes: [Axis]) {
        inChannels = layer.inChannels
        outChannels = layer.outChannels
        groups = layer.groups
        kernel = layer.kernel
        self.weight = weight.map(Double.init)
        self.axes = axes
        isTransposed = layer.kind == .transposedConvolution
    }

    func outputExtents(of extents: [Int]) -> [Int] {
        extents.indices.map { index in
            let axis = axes[index]
            let reach = axis.dilation * (kernel[index] - 1) + 1
            if isTransposed {
                return (extents[index] - 1) * axis.stride - axis.before - axis.after + reach + axis.outputPadding
            }
            return (extents[index] + axis.before + axis.after - reach) / axis.stride + 1
        }
    }

    /// The output, and the number of multiplications, those with padding included.
    func callAsFunction(_ input: Image) -> (output: Image, multiplications: Int) {
        let extents = outputExtents(of: input.extents)
        let size = extents.reduce(1, *)
        let inSize = input.extents.reduce(1, *)
        var output = [Double](repeating: 0, count: outChannels * size)
        var count = 0
        let (perOut, perIn) = (outChannels / groups, inChannels / groups)
        let taps = coordinates(kernel)
        let anchors = coordinates(isTransposed ? input.extents : extents)
        for anchor in anchors {
            for (position, tap) in taps.enumerated() {
                let other = anchor.indices.map {
                    anchor[$0] * axes[$0].stride - axes[$0].before + tap[$0] * axes[$0].dilation
                }
                let inside = isTransposed ? place(other, extents) : place(other, input.extents)
                guard let near = place(anchor, isTransposed ? input.extents : extents) else { continue }
                count += outChannels * perIn
                guard let far = inside else { continue }
                let (from, to) = isTransposed ? (near, far) : (far, near)
                for o in 0..<outChannels {
                    for c in 0..<perIn {
                        output[o * size + to] +=
                            weight[(o * perIn + c) * taps.count + position]
                            * input.values[(o / perOut * perIn + c) * inSize + from]
                    }
                }
            }
        }
        return (Image(extents: extents, values: output), count)
    }

    private func coordinates(_ extents: [Int]) -> [[Int]] {
        extents.reduce([[]]) { all, extent in all.flatMap { start in (0..<extent).map { start + [$0] } } }
    }

    private func place(_ coordinate: [Int], _ extents: [Int]) -> Int? {
        var place = 0
        for (value, extent) in zip(coordinate, extents) {
            guard 0..<extent ~= value else { return nil }
            place = place * extent + value
        }
        return place
    }
}
