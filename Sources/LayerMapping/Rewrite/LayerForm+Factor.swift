internal import ConverterKit
internal import Decompositions

extension LayerForm {
    /// The factor of link `index` as its node takes it: extents, and elements row-major over them.
    func factor(_ link: FactorLink, isLast: Bool) -> (shape: [Int], elements: [Float]) {
        let shape = link.shape
        switch self {
        case .convolution(let form):
            let perGroup = shape.inChannels / shape.groups
            if form.isTransposed, !shape.axes.isEmpty {
                return (
                    [shape.inChannels, shape.outChannels / shape.groups] + shape.kernel,
                    CanonicalWeight.transposedConvolution(
                        link.weight, outChannels: shape.outChannels, inChannelsPerGroup: perGroup,
                        groups: shape.groups, kernel: shape.kernel)
                )
            }
            return ([shape.outChannels, perGroup] + shape.kernel, link.weight)
        case .linear(let form):
            // The last link is the node itself; those before it are plain products on the activation's side.
            let inputFirst = isLast ? form.storesInputFirst : form.activationOnLeft
            let ones = [Int](repeating: 1, count: isLast ? form.leadingOnes : 0)
            let canonical = [shape.outChannels, shape.inChannels]
            if !inputFirst { return (ones + canonical, link.weight) }
            return (
                ones + canonical.reversed(), link.weight.transposed(shape: canonical, axes: [1, 0])
            )
        }
    }
}
