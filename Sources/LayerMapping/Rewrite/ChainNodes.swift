internal import ConverterKit
internal import Decompositions

/// The nodes of a chain in place of one node. The last is the old node itself with other inputs and attributes, so that
/// whatever else it carries stays.
///
///     Given   X ── Conv(W, B; strides, pads, dilations) ── Y
///     Result  X ── Conv(W/tt_0) ── Y/tt_0 ── Conv(W/tt_1; strides, pads, dilations) ── Y/tt_1 ── Conv(W/tt_2, B) ── Y
///
///     Given   X ── ConvTranspose(W, B; strides, pads, …) ── Y
///     Result  X ── Conv(W/tt_0) ── ConvTranspose(W/tt_1; strides, pads, …) ── Conv(W/tt_2, B) ── Y
///
///     Given   X ── Gemm(W, C; alpha, beta, transA, transB) ── Y
///     Result  X ── MatMul(W/svd_0) ── Gemm(W/svd_1, C; alpha, beta, transA, transB) ── Y
///
///     Given   X ── MatMul(W) ── Y
///     Result  X ── MatMul(W/svd_0) ── MatMul(W/svd_1) ── Y
struct ChainNodes {
    let node: Node
    let form: LayerForm
    /// The names of the new nodes, one by link.
    let names: [String]
    /// The names of the factors, one by link.
    let factors: [String]
    /// The names of the values between the links, one less.
    let between: [String]

    func nodes(for links: [FactorLink.Shape]) -> [Node] {
        links.indices.map { index in
            switch form {
            case .convolution(let form): convolution(links[index], at: index, form)
            case .linear(let form): linear(at: index, of: links.count, form)
            }
        }
    }

    private func source(_ index: Int, activation: String) -> String { index == 0 ? activation : between[index - 1] }

    private func target(_ index: Int) -> [String] { index < between.count ? [between[index]] : node.outputs }

    private func convolution(_ link: FactorLink.Shape, at index: Int, _ form: ConvolutionForm) -> Node {
        let isLast = index == between.count
        var result =
            isLast ? node : Node(name: nil, operation: node.operation, domain: node.domain, inputs: [], outputs: [])
        let carries = !link.axes.isEmpty
        result.name = names[index]
        result.operation = form.isTransposed && carries ? "ConvTranspose" : "Conv"
        result.inputs = [source(index, activation: node.inputs[0]), factors[index]]
        if isLast { result.inputs += node.inputs.dropFirst(2) }
        result.outputs = target(index)
        result.attributes = node.attributes.compactMap { attribute in
            func only(_ values: [Int], otherwise neutral: Int) -> [Int64] {
                values.indices.map { Int64(link.axes.contains($0 % form.kernel.count) ? values[$0] : neutral) }
            }
            switch attribute.name {
            case "kernel_shape": return attribute.with(.ints(link.kernel.map { Int64($0) }))
            case "strides": return attribute.with(.ints(only(form.strides, otherwise: 1)))
            case "dilations": return attribute.with(.ints(only(form.dilations, otherwise: 1)))
            case "pads": return attribute.with(.ints(only(form.pads, otherwise: 0)))
            case "group": return attribute.with(.int(Int64(link.groups)))
            case "auto_pad": return carries ? attribute : nil
            case "output_padding":
                return result.operation == "ConvTranspose"
                    ? attribute.with(.ints(only(form.outputPadding, otherwise: 0))) : nil
            default: return attribute
            }
        }
        if link.groups != 1, !result.attributes.contains(where: { $0.name == "group" }) {
            result.attributes.append(Attribute(name: "group", value: .int(Int64(link.groups))))
        }
        return result
    }

    private func linear(at index: Int, of count: Int, _ form: LinearForm) -> Node {
        let activation = source(index, activation: node.inputs[1 - form.weightInput])
        if index == count - 1 {
            var last = node
            last.name = names[index]
            last.inputs[form.weightInput] = factors[index]
            last.inputs[1 - form.weightInput] = activation
            return last
        }
        return Node(
            name: names[index], operation: "MatMul", domain: node.domain,
            inputs: form.activationOnLeft ? [activation, factors[index]] : [factors[index], activation],
            outputs: target(index))
    }
}

extension Attribute {
    /// The attribute with this value; as it was read when the value is the same.
    func with(_ value: Value) -> Attribute {
        switch (self.value, value) {
        case (.int(let old), .int(let new)) where old == new: return self
        case (.ints(let old), .ints(let new)) where old == new: return self
        default:
            var copy = self
            copy.value = value
            return copy
        }
    }
}
