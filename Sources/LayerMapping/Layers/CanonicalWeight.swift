/// Between the layout in which a node takes a weight and the layout of `LayerShape`: row-major
/// `[out, in / group, kernel…]`, output channels ordered by group.
enum CanonicalWeight {
    /// From the layout of a node's operand of extents `shape`.
    static func elements(_ values: [Float], shape: [Int], form: LayerForm) -> [Float] {
        switch form {
        case .convolution(let form) where form.isTransposed:
            swapped(values, outer: shape[0], inner: shape[1], groups: form.groups, kernel: form.kernel)
        case .linear(let form) where form.storesInputFirst:
            values.transposed(shape: Array(shape.suffix(2)), axes: [1, 0])
        default: values
        }
    }

    /// To the layout in which a ConvTranspose takes it: `[in, out / group, kernel…]`.
    static func transposedConvolution(
        _ values: [Float], outChannels: Int, inChannelsPerGroup: Int, groups: Int, kernel: [Int]
    ) -> [Float] {
        swapped(values, outer: outChannels, inner: inChannelsPerGroup, groups: groups, kernel: kernel)
    }

    /// `[g·a, b, k…]` to `[g·b, a, k…]`: channels trade places within each group; the kernel is not mirrored, since a
    /// transposed convolution and its chain read it in the same direction.
    private static func swapped(
        _ values: [Float], outer: Int, inner: Int, groups: Int, kernel: [Int]
    ) -> [Float] {
        values.transposed(shape: [groups, outer / groups, inner, kernel.reduce(1, *)], axes: [0, 2, 1, 3])
    }
}
