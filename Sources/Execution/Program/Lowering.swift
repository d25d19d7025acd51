internal import ConverterKit

/// From a model's graph to a program: names become values, functions are inlined, branches of a known condition taken.
struct Lowering {
    let program: Program
    let functions: [FunctionName: Function]
    private var versions: [OperatorSet]
    private var scopes: [[String: ValueID]] = [[:]]
    private var attributes: [String: Attribute.Value] = [:]
    private var depth = 0
    private let mode: Mode
    /// The batch normalizations that were lowered with the statistics of the batch.
    private(set) var normalizations: [Normalization] = []

    /// How a model is lowered that is to be trained.
    struct Mode {
        /// Constants of the main graph that become parameters.
        var trains: (String) -> Bool = { _ in false }
        /// Batch normalizations take the statistics of the batch.
        var normalizesByBatch = false
    }

    /// A batch normalization whose stored statistics follow those of the batches.
    struct Normalization {
        /// Names of the stored mean and variance.
        var mean: String
        var variance: String
        var momentum: Float
        /// The stored ones.
        var initial: (mean: [Float], variance: [Float])
        /// The batch's own.
        var batchMean: ValueID
        var batchVariance: ValueID
        /// Elements that a channel's statistics are of.
        var count: Int
    }

    static let largestDepth = 64

    init(
        into program: Program, functions: [FunctionName: Function], versions: [OperatorSet], mode: Mode = Mode()
    ) {
        self.program = program
        self.mode = mode
        self.functions = functions
        self.versions = versions
    }

    struct FunctionName: Hashable {
        var domain: String
        var name: String
        var overload: String

        init(domain: String?, name: String?, overload: String?) {
            self.domain = domain == "ai.onnx" ? "" : domain ?? ""
            self.name = name ?? ""
            self.overload = overload ?? ""
        }
    }

    static func functions(of model: Model) -> [FunctionName: Function] {
        Dictionary(
            model.functions.map { (FunctionName(domain: $0.domain, name: $0.name, overload: $0.overload), $0) },
            uniquingKeysWith: { first, _ in first })
    }

    mutating func bind(_ name: String, to id: ValueID) {
        scopes[scopes.count - 1][name] = id
        program.setName(name, of: id)
    }

    /// The value that a name means here.
    func look(up name: String) -> ValueID? {
        for scope in scopes.reversed() { if let id = scope[name] { return id } }
        return nil
    }

    /// Adds the graph's constants, except those that are bound already, and its nodes.
    mutating func lower(_ graph: Graph) throws {
        for tensor in graph.initializers {
            guard let name = tensor.name, scopes.last?[name] == nil else { continue }
            do {
                let value = try TensorValue(tensor)
                bind(
                    name,
                    to: mode.trains(name)
                        ? program.addParameter(value, name: name) : program.constant(value, name: name))
            } catch let error as ConversionError where error.code == "execution.type" {
                // Constants of types that are not executed matter only where they are read.
                continue
            }
        }
        for node in graph.nodes { try lower(node) }
    }

    private mutating func lower(_ node: Node) throws {
        let node = node.resolving(attributes)
        let domain = node.domain == "ai.onnx" ? "" : node.domain ?? ""
        let name = node.name.flatMap { $0.isEmpty ? nil : $0 } ?? "\(node.operation) → \(node.outputs.first ?? "")"
        let inputs = try node.inputs.map { input -> ValueID? in
            if input.isEmpty { return nil }
            guard let id = look(up: input) else {
                throw ExecutionError.unsupported("the value \(input) is not there, or of a type that is not executed")
                    .at(.init(node: name))
            }
            return id
        }
        let key = FunctionName(domain: domain, name: node.operation, overload: node.overload)
        if let function = functions[key] { return try inline(function, node, inputs) }
        // Another name for a value of any kind.
        if domain.isEmpty, node.operation == "Identity", let id = inputs.first ?? nil {
            for output in node.outputs.prefix(1) where !output.isEmpty { bind(output, to: id) }
            return
        }
        if domain.isEmpty, node.operation == "If", try takeBranch(node, inputs) { return }

        if mode.normalizesByBatch, domain.isEmpty, node.operation == "BatchNormalization",
            try normalizeByBatch(node, inputs)
        {
            return
        }

        var use = OperatorUse(
            OperatorKey(domain: domain, name: node.operation), AttributeList(node.attributes),
            version: Int(versions.version(of: domain) ?? 1), node: name)
        var captures: [String: ValueID] = [:]
        for attribute in node.attributes {
            guard case .graph(let graph) = attribute.value else { continue }
            use.subgraphs[attribute.name] = Subgraph(
                graph.resolving(attributes), functions: functions, versions: versions)
            for outer in graph.outerNames { captures[outer] = look(up: outer) }
        }
        let results = try program.emit(
            use, inputs, wanted: node.outputs.map { !$0.isEmpty }, captures: captures)
        for (output, id) in zip(node.outputs, results) where !output.isEmpty {
            guard let id else {
                throw ExecutionError.unsupported("\(use.key) does not give the output \(output)").at(.init(node: name))
            }
            bind(output, to: id)
        }
    }

    /// False for a normalization that cannot be done with the statistics of the batch.
    private mutating func normalizeByBatch(_ node: Node, _ inputs: [ValueID?]) throws -> Bool {
        let given = inputs.compactMap { $0 }
        guard given.count >= 5, let fact = program[given[0]].fact, fact.type == .float32, fact.shape.count >= 2,
            let mean = try program[given[3]].constant?.floats(),
            let variance = try program[given[4]].constant?.floats()
        else { return false }
        let attributes = AttributeList(node.attributes)
        let made = try program.emit(
            "BatchTraining", domain: "rene", Array(given[..<3]),
            ["epsilon": attributes.float("epsilon", otherwise: 1e-5)], outputs: 4)
        bind(node.outputs[0], to: made[0])
        normalizations.append(
            Normalization(
                mean: node.inputs[3], variance: node.inputs[4], momentum: attributes.float("momentum", otherwise: 0.9),
                initial: (mean, variance), batchMean: made[1], batchVariance: made[3],
                count: fact.count / max(1, fact.shape[1])))
        return true
    }

    /// A branch whose condition is known needs no node of its own.
    private mutating func takeBranch(_ node: Node, _ inputs: [ValueID?]) throws -> Bool {
        guard let condition = inputs.first.flatMap({ $0 }).flatMap({ program[$0].constant }), condition.count == 1
        else { return false }
        let name = try condition.integers()[0] != 0 ? "then_branch" : "else_branch"
        guard let graph = AttributeList(node.attributes).graph(name) else { return false }
        scopes.append([:])
        depth += 1
        guard depth < Self.largestDepth else { throw ExecutionError.unsupported("graphs are nested too deep") }
        try lower(graph)
        let outputs = try graph.outputs.map { try output($0.name ?? "") }
        scopes.removeLast()
        depth -= 1
        for (name, id) in zip(node.outputs, outputs) where !name.isEmpty { bind(name, to: id) }
        return true
    }

    private mutating func inline(_ function: Function, _ node: Node, _ inputs: [ValueID?]) throws {
        depth += 1
        guard depth < Self.largestDepth else { throw ExecutionError.unsupported("functions are nested too deep") }
        let outer = (scopes, attributes, versions)
        var scope: [String: ValueID] = [:]
        for (name, id) in zip(function.inputs, inputs) { if let id { scope[name] = id } }
        scopes = [scope]
        attributes = Dictionary(node.attributes.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
        // A function that imports no sets of its own uses the model's.
        if !function.operatorSets.isEmpty { versions = function.operatorSets }
        var body = Graph(name: function.name)
        body.nodes = function.nodes
        // An input that the caller leaves out is left out inside too.
        let missing = Set(function.inputs.filter { scope[$0] == nil })
        if !missing.isEmpty {
            for index in body.nodes.indices {
                body.nodes[index].inputs = body.nodes[index].inputs.map { missing.contains($0) ? "" : $0 }
            }
        }
        try lower(body)
        let outputs = node.outputs.indices.map { index in
            function.outputs.indices.contains(index) ? look(up: function.outputs[index]) : nil
        }
        (scopes, attributes, versions) = outer
        depth -= 1
        for (name, id) in zip(node.outputs, outputs) where !name.isEmpty {
            guard let id else { throw ExecutionError.unsupported("a function does not give the output \(name)") }
            bind(name, to: id)
        }
    }

    func output(_ name: String) throws -> ValueID {
        guard let id = look(up: name) else { throw ExecutionError.unsupported("the output \(name) is not computed") }
        return id
    }
}

extension Node {
    /// The node with the values that a function's caller states in place of references to them; a reference to an
    /// attribute that the caller leaves out goes, so that the operator's own default counts.
    fileprivate func resolving(_ values: [String: Attribute.Value]) -> Node {
        guard attributes.contains(where: { if case .reference = $0.value { true } else { false } }) else { return self }
        var node = self
        node.attributes = attributes.compactMap { attribute in
            guard case .reference(let name) = attribute.value else { return attribute }
            guard let value = values[name] else { return nil }
            return Attribute(name: attribute.name, value: value)
        }
        return node
    }
}

extension Graph {
    /// The graph with references to a function's attributes resolved, at every depth.
    fileprivate func resolving(_ values: [String: Attribute.Value]) -> Graph {
        if values.isEmpty { return self }
        var graph = self
        graph.nodes = nodes.map { node in
            var node = node.resolving(values)
            for index in node.attributes.indices {
                if case .graph(let inner) = node.attributes[index].value {
                    node.attributes[index].value = .graph(inner.resolving(values))
                }
            }
            return node
        }
        return graph
    }

    /// Names that the graph reads from the scopes around it.
    var outerNames: Set<String> {
        var own = Set(inputs.compactMap(\.name)).union(initializers.compactMap(\.name))
        var outer: Set<String> = []
        for node in nodes {
            for name in node.inputs where !name.isEmpty && !own.contains(name) { outer.insert(name) }
            for attribute in node.attributes {
                if case .graph(let graph) = attribute.value { outer.formUnion(graph.outerNames.subtracting(own)) }
            }
            own.formUnion(node.outputs)
        }
        for output in outputs { if let name = output.name, !own.contains(name) { outer.insert(name) } }
        return outer
    }
}
