internal import ConverterKit

/// Multiply-accumulates of operators that are products, from extents alone.
enum MacCount {
    private typealias Rule = @Sendable (Node, Observation) -> Int?

    static func counts(_ node: Node) -> Bool { rules[key(node)] != nil }

    /// `nil` when an extent is not known.
    static func count(_ node: Node, _ observation: Observation) -> Int? { rules[key(node)]?(node, observation) }

    private static func key(_ node: Node) -> String {
        node.isStandard ? node.operation : "\(node.domain ?? "")::\(node.operation)"
    }

    private static let rules: [String: Rule] = [
        "Conv": { convolution($1, weight: 1) },
        "ConvInteger": { convolution($1, weight: 1) },
        "QLinearConv": { convolution($1, weight: 3) },
        "com.microsoft::FusedConv": { convolution($1, weight: 1) },
        "ConvTranspose": { transposedConvolution($1) },
        "MatMul": { product($1, inner: { $0.last ?? nil }) },
        "MatMulInteger": { product($1, inner: { $0.last ?? nil }) },
        "QLinearMatMul": { product($1, inner: { $0.last ?? nil }) },
        "Gemm": { gemm($0, $1) },
        "com.microsoft::FusedGemm": { gemm($0, $1) },
        "com.microsoft::FusedMatMul": { node, observation in
            let isTransposed = (node[attribute: "transA"]?.int ?? 0) != 0
            return product(observation) { isTransposed && $0.count > 1 ? $0[$0.count - 2] : $0.last ?? nil }
        },
        "com.microsoft::Attention": { attention($0, $1) },
    ]

    /// Elements of the result by elements of a kernel.
    private static func convolution(_ observation: Observation, weight: Int) -> Int? {
        guard observation.inputs.indices.contains(weight), let kernel = observation.inputs[weight]?.extents,
            let output = observation.outputs.first?.extents
        else { return nil }
        return multiply(output + kernel.dropFirst())
    }

    /// Elements of the input by elements of a kernel.
    private static func transposedConvolution(_ observation: Observation) -> Int? {
        guard observation.inputs.count > 1, let kernel = observation.inputs[1]?.extents,
            let input = observation.inputs[0]?.extents
        else { return nil }
        return multiply(input + kernel.dropFirst())
    }

    private static func product(_ observation: Observation, inner: ([Int?]) -> Int?) -> Int? {
        guard let left = observation.inputs.first??.shape, let depth = inner(left),
            let output = observation.outputs.first?.extents
        else { return nil }
        return multiply(output + [depth])
    }

    private static func gemm(_ node: Node, _ observation: Observation) -> Int? {
        let isTransposed = (node[attribute: "transA"]?.int ?? 0) != 0
        return product(observation) { isTransposed ? $0.first ?? nil : $0.last ?? nil }
    }

    /// The joint projection of the input `[batch, tokens, width]`, and the products of scores and of values.
    private static func attention(_ node: Node, _ observation: Observation) -> Int? {
        guard observation.inputs.count > 1, let input = observation.inputs[0]?.extents, input.count == 3,
            let weight = observation.inputs[1]?.extents, weight.count == 2,
            let projection = multiply(input + [weight[1]]), let pairs = multiply([input[0], input[1], input[1]]),
            let products = multiply([pairs, 2, weight[1] / 3])
        else { return nil }
        return projection.addingOrSaturating(products)
    }

    private static func multiply(_ extents: [Int]) -> Int? { ShapeArithmetic.product(extents) }
}
