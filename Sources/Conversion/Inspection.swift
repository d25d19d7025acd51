internal import ConverterKit
internal import Decompositions
internal import LayerMapping
public import PluginHost
internal import RankSearch

/// What `rene inspect` shows: the model's facts and each node with a weight, with what can become of it.
public struct Inspection: Sendable, Encodable {
    public struct Layer: Sendable, Encodable {
        public var node: String
        public var kind: String
        public var weight: String
        public var elementType: String
        public var inChannels: Int
        public var outChannels: Int
        public var groups: Int
        public var kernel: [Int]
        public var strides: [Int]
        public var parameters: Int
        public var macs: Int
        /// Decompositions that can make it smaller.
        public var decompositions: [String]
    }

    public struct Kept: Sendable, Encodable {
        public var node: String
        public var operation: String
        public var reason: String
        public var message: String
    }

    public var path: String
    public var format: String
    public var producer: String
    public var irVersion: Int64?
    public var operatorSets: [String]
    public var inputs: [String]
    public var outputs: [String]
    public var nodes: Int
    public var parameters: Int
    public var macs: Int
    public var layers: [Layer]
    public var kept: [Kept]
    public var notes: [String]

    public init(of path: String, plugins: PluginRegistry, settings: ConversionSettings) throws {
        let model = try plugins.importer(for: path).importModel(at: path, limits: ImportLimits())
        var options = MappingOptions()
        options.include = settings.include
        options.exclude = settings.exclude
        options.inputShapes = settings.inputShapes
        let map = try LayerMap(of: model, options: options)
        let choice = try DecompositionChoice(names: settings.decomposition)
        self.path = path
        format = model.format
        producer = [model.producerName, model.producerVersion].compactMap { $0 }.joined(separator: " ")
        irVersion = model.irVersion
        operatorSets = model.operatorSets.map { "\($0.domain ?? "") \($0.version ?? 0)" }
        inputs = model.graph.inputs.map(Self.text)
        outputs = model.graph.outputs.map(Self.text)
        nodes = model.graph.nodes.count
        parameters = map.cost.parameters
        macs = map.cost.macs
        layers = map.layers.map { layer in
            let paying = choice.decompositions(for: layer.shape).filter { decomposition in
                guard decomposition.applies(to: layer.shape) else { return false }
                let ranks = decomposition.largestRanks(for: layer.shape).map { _ in 1 }
                return decomposition.cost(ranks: ranks, in: layer.shape).beats(layer.shape.denseCost)
            }
            return Layer(
                node: layer.id, kind: layer.operation, weight: layer.weightName, elementType: "\(layer.elementType)",
                inChannels: layer.shape.inChannels, outChannels: layer.shape.outChannels, groups: layer.shape.groups,
                kernel: layer.shape.kernel, strides: layer.shape.strides, parameters: layer.dense.parameters,
                macs: layer.dense.macs, decompositions: paying.map { $0.id })
        }
        kept = map.kept.map {
            Kept(node: $0.id, operation: $0.operation, reason: $0.reason.rawValue, message: $0.message)
        }
        notes = ConversionNotes.assumptions(of: map)
    }

    private static func text(_ value: ValueInfo) -> String {
        guard let type = value.tensorType else { return value.name ?? "" }
        let element = ElementType(rawValue: type.elementTypeNumber).map { "\($0)" } ?? "?"
        let extents = type.shape?.map { dimension in
            switch dimension {
            case .fixed(let extent): "\(extent)"
            case .symbol(let name): name
            case .unknown: "?"
            }
        }
        return "\(value.name ?? "") \(element)[\(extents?.joined(separator: ", ") ?? "…")]"
    }
}

/// An inspection as text for people.
public enum InspectionText {
    public static func table(of inspection: Inspection) -> String {
        var lines = [
            "\(inspection.path): \(inspection.format), IR \(inspection.irVersion.map(String.init) ?? "?"), "
                + "operator sets \(inspection.operatorSets.joined(separator: ", ")), by \(inspection.producer)",
            "inputs   \(inspection.inputs.joined(separator: "; "))",
            "outputs  \(inspection.outputs.joined(separator: "; "))",
            "\(inspection.nodes) nodes, \(ReportText.grouped(inspection.parameters)) parameters, "
                + "\(ReportText.grouped(inspection.macs)) MACs",
            "",
        ]
        for layer in inspection.layers {
            let kernel = layer.kernel.isEmpty ? "" : " kernel \(layer.kernel.map(String.init).joined(separator: "x"))"
            let groups = layer.groups == 1 ? "" : " groups \(layer.groups)"
            lines.append(
                "\(layer.node)  \(layer.kind) \(layer.inChannels)->\(layer.outChannels)\(kernel)\(groups) "
                    + "\(layer.elementType), \(ReportText.grouped(layer.parameters)) parameters, "
                    + "\(ReportText.grouped(layer.macs)) MACs: "
                    + (layer.decompositions.isEmpty
                        ? "stays, no-rank-pays" : layer.decompositions.joined(separator: ", ")))
        }
        for kept in inspection.kept {
            lines.append("\(kept.node)  \(kept.operation): stays, \(kept.reason): \(kept.message)")
        }
        lines += inspection.notes.map { "note: \($0)" }
        return lines.joined(separator: "\n")
    }
}
