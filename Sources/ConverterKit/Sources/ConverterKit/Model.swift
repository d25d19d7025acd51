/// A model as the program sees it: a graph, the functions it calls, and all that a faithful exporter needs to write
/// everything that was not changed as it came in. An optional property is `nil` when the source did not state it.
public struct Model: Sendable {
    /// The format it came from, by the name its importer registers.
    public var format: String
    /// The file it was read from.
    public var path: String
    public var irVersion: Int64?
    public var operatorSets: [OperatorSet]
    public var producerName: String?
    public var producerVersion: String?
    public var domain: String?
    public var modelVersion: Int64?
    public var docString: String?
    public var graph: Graph
    public var metadata: [MetadataEntry]
    public var functions: [Function]
    /// Fields that this kit does not model, in the source format's encoding.
    public var unmodelled: [UInt8]

    public init(format: String, path: String, graph: Graph) {
        self.format = format
        self.path = path
        self.graph = graph
        irVersion = nil
        operatorSets = []
        producerName = nil
        producerVersion = nil
        domain = nil
        modelVersion = nil
        docString = nil
        metadata = []
        functions = []
        unmodelled = []
    }

    /// The version of the operator set of `domain` ("" is ONNX's own, also spelled "ai.onnx"); `nil` if not imported.
    public func operatorSetVersion(domain: String = "") -> Int64? {
        operatorSets.version(of: domain)
    }
}

extension [OperatorSet] {
    public func version(of domain: String) -> Int64? {
        let wanted = domain == "ai.onnx" ? "" : domain
        return first { ($0.domain == "ai.onnx" ? "" : $0.domain ?? "") == wanted }?.version
    }
}

/// A version of a set of operators that a model or function relies on.
public struct OperatorSet: Sendable, Hashable {
    public var domain: String?
    public var version: Int64?
    public var unmodelled: [UInt8]

    public init(domain: String?, version: Int64?, unmodelled: [UInt8] = []) {
        self.domain = domain
        self.version = version
        self.unmodelled = unmodelled
    }
}

/// A key and its value.
public struct MetadataEntry: Sendable, Hashable {
    public var key: String?
    public var value: String?
    public var unmodelled: [UInt8]

    public init(key: String?, value: String?, unmodelled: [UInt8] = []) {
        self.key = key
        self.value = value
        self.unmodelled = unmodelled
    }
}

/// A model-local function: a subgraph that nodes call by domain and name.
public struct Function: Sendable {
    public var name: String?
    public var domain: String?
    public var overload: String?
    public var inputs: [String]
    public var outputs: [String]
    public var nodes: [Node]
    public var operatorSets: [OperatorSet]
    public var docString: String?
    /// Everything else: attribute names and defaults, value information, metadata.
    public var unmodelled: [UInt8]

    public init(
        name: String?, domain: String?, overload: String?, inputs: [String], outputs: [String], nodes: [Node],
        operatorSets: [OperatorSet], docString: String?, unmodelled: [UInt8]
    ) {
        self.name = name
        self.domain = domain
        self.overload = overload
        self.inputs = inputs
        self.outputs = outputs
        self.nodes = nodes
        self.operatorSets = operatorSets
        self.docString = docString
        self.unmodelled = unmodelled
    }
}
