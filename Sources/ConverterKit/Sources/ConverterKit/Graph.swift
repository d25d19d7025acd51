/// Nodes in topological order, the constants they use, and the graph's own inputs and outputs.
public struct Graph: Sendable {
    public var name: String?
    public var nodes: [Node]
    public var initializers: [Tensor]
    public var inputs: [ValueInfo]
    public var outputs: [ValueInfo]
    /// Types of inner values, where the source states them.
    public var valueInfo: [ValueInfo]
    public var docString: String?
    /// Sparse initializers, quantization annotations, metadata and fields unknown to this kit.
    public var unmodelled: [UInt8]

    public init(name: String?) {
        self.name = name
        nodes = []
        initializers = []
        inputs = []
        outputs = []
        valueInfo = []
        docString = nil
        unmodelled = []
    }
}

/// One operation.
public struct Node: Sendable {
    public var name: String?
    public var operation: String
    /// Operator domain; "" and "ai.onnx" are ONNX's own.
    public var domain: String?
    /// Which overload of a model-local function is called.
    public var overload: String?
    /// Names of values; "" stands for an optional input that is left out.
    public var inputs: [String]
    public var outputs: [String]
    public var attributes: [Attribute]
    public var docString: String?
    public var unmodelled: [UInt8]

    public init(
        name: String?, operation: String, domain: String? = nil, overload: String? = nil, inputs: [String],
        outputs: [String], attributes: [Attribute] = [], docString: String? = nil, unmodelled: [UInt8] = []
    ) {
        self.name = name
        self.operation = operation
        self.domain = domain
        self.overload = overload
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
        self.docString = docString
        self.unmodelled = unmodelled
    }

    /// True for an operator of ONNX's own set.
    public var isStandard: Bool { domain == nil || domain == "" || domain == "ai.onnx" }

    public subscript(attribute name: String) -> Attribute.Value? {
        attributes.first { $0.name == name }?.value
    }
}

/// A named constant parameter of a node.
public struct Attribute: Sendable {
    public var name: String
    public var value: Value {
        didSet { encoded = nil }
    }
    public var docString: String?
    /// The attribute as the source has it, where writing `name` and `value` anew would not give the same fields.
    /// Dropped as soon as `value` is set.
    public private(set) var encoded: [UInt8]?
    public var unmodelled: [UInt8]

    public enum Value: Sendable {
        case float(Float)
        case int(Int64)
        case string([UInt8])
        case tensor(Tensor)
        case graph(Graph)
        case floats([Float])
        case ints([Int64])
        case strings([[UInt8]])
        case tensors([Tensor])
        case graphs([Graph])
        /// The value of the enclosing function's attribute of this name.
        case reference(String)
        /// A kind that this kit does not model; the content is in `encoded`.
        case other
    }

    public init(
        name: String, value: Value, docString: String? = nil, encoded: [UInt8]? = nil, unmodelled: [UInt8] = []
    ) {
        self.name = name
        self.value = value
        self.docString = docString
        self.encoded = encoded
        self.unmodelled = unmodelled
    }
}

/// What is known of a value's type.
public struct ValueInfo: Sendable {
    public var name: String?
    /// `nil` when the source states no tensor type (or another kind of type).
    public var tensorType: TensorType?
    public var docString: String?
    /// The type as the source has it; written as it is when there.
    public var encodedType: [UInt8]?
    public var unmodelled: [UInt8]

    public init(
        name: String?, tensorType: TensorType?, docString: String? = nil, encodedType: [UInt8]? = nil,
        unmodelled: [UInt8] = []
    ) {
        self.name = name
        self.tensorType = tensorType
        self.docString = docString
        self.encodedType = encodedType
        self.unmodelled = unmodelled
    }
}

/// Element type and, where stated, the shape of a tensor value.
public struct TensorType: Sendable, Hashable {
    public enum Dimension: Sendable, Hashable {
        case fixed(Int64)
        case symbol(String)
        case unknown
    }

    public var elementTypeNumber: Int32
    public var shape: [Dimension]?

    public init(elementTypeNumber: Int32, shape: [Dimension]?) {
        self.elementTypeNumber = elementTypeNumber
        self.shape = shape
    }
}
