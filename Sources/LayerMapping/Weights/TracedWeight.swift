internal import ConverterKit

/// A weight as a node sees it: the stored tensor and the views on the way to the node.
struct TracedWeight: Sendable {
    /// Where the stored tensor is.
    enum Origin: Sendable, Hashable {
        case initializer(scope: Int, index: Int)
        case constant(scope: Int, node: Int)
    }

    var origin: Origin
    /// The value of the stored tensor.
    var value: ScopeTree.ValueID
    var tensor: Tensor
    /// From the stored tensor to the node.
    var views: [WeightView]
    /// The nodes of the views, by scope and index; as many as `views`.
    var viewNodes: [ScopeNode]
    /// Extents and element type at the node.
    var shape: [Int]
    var elementTypeNumber: Int32

    /// Whether a cast lies on the way, so that factors must be cast as well.
    var castIndex: Int? {
        views.lastIndex { if case .cast = $0 { true } else { false } }
    }

    /// The elements as the node sees them, row-major over `shape`.
    func elements() throws(ConversionError) -> [Float] {
        var values = try tensor.floats()
        var extents = tensor.shape.map { Int($0) }
        for view in views {
            switch view {
            case .identity: break
            case .reshape(let shape): extents = shape
            case .transpose(let axes):
                values = values.transposed(shape: extents, axes: axes)
                extents = axes.map { extents[$0] }
            case .cast(let number):
                guard let type = ElementType(rawValue: number) else { break }
                values = try Self.rounded(values, to: type)
            }
        }
        return values
    }

    private static func rounded(_ values: [Float], to type: ElementType) throws(ConversionError) -> [Float] {
        switch type {
        case .float16, .bfloat16:
            let bytes = try Tensor.pack(values, as: type)
            return try Tensor(
                name: nil, elementTypeNumber: type.rawValue, shape: [Int64(values.count)],
                payload: .raw(ByteSource(bytes))
            ).floats()
        default: return values
        }
    }
}
