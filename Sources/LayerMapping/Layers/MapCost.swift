internal import ConverterKit

/// What a whole model costs as it is.
public struct MapCost: Sendable, Hashable {
    /// Elements of all stored tensors of real types: weights, biases, statistics of normalisations. Each stored tensor
    /// counts once, however many nodes use it; scalars in Constant nodes are no parameters.
    public var parameters: Int
    /// Multiply-accumulates of convolutions and matrix products, attention's own products among them, for one input of
    /// the model.
    public var macs: Int
    /// Bytes of the tensors that `parameters` counts, as stored.
    public var bytes: Int
    /// Free extents of inputs that the caller did not state, and what was taken for them.
    public var assumed: [AssumedExtent]
    /// Paths of nodes whose extents could not be inferred; `macs` leaves them out.
    public var uncounted: [String]

    public init(parameters: Int, macs: Int, bytes: Int, assumed: [AssumedExtent] = [], uncounted: [String] = []) {
        self.parameters = parameters
        self.macs = macs
        self.bytes = bytes
        self.assumed = assumed
        self.uncounted = uncounted
    }
}

extension MapCost {
    init(of tree: ScopeTree, inference: Inference) {
        self.init(parameters: 0, macs: 0, bytes: 0, assumed: inference.assumed)
        for scope in tree.scopes {
            for tensor in scope.initializers { add(tensor) }
            for (index, node) in scope.nodes.enumerated() {
                if let tensor = node.constantTensor, !tensor.shape.isEmpty { add(tensor) }
                guard MacCount.counts(node) else { continue }
                let observations = inference.observations[NodeLocation(scope: scope.path, index: index)] ?? []
                let counts = observations.map { observation in
                    MacCount.count(node, observation).map { $0.multipliedReportingOverflow(by: observation.times) }
                }
                if counts.isEmpty || counts.contains(where: { $0?.overflow ?? true }) {
                    uncounted.append(scope.ids[index])
                }
                for count in counts {
                    if let count, !count.overflow { macs = macs.addingOrSaturating(count.partialValue) }
                }
            }
        }
    }

    private mutating func add(_ tensor: Tensor) {
        guard let type = tensor.elementType, type.isReal, let count = tensor.elementCount else { return }
        parameters = parameters.addingOrSaturating(count)
        bytes = bytes.addingOrSaturating(type.byteCount(of: count) ?? 0)
    }
}

extension ElementType {
    /// True for the types that stand for real numbers, of any width.
    var isReal: Bool {
        switch self {
        case .float32, .float64, .float16, .bfloat16, .float8E4M3FN, .float8E4M3FNUZ, .float8E5M2, .float8E5M2FNUZ,
            .float4E2M1:
            true
        default: false
        }
    }
}

extension Int {
    func addingOrSaturating(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
