import ConverterKit

@testable import LayerMapping

/// What a rule is given and the shapes that must follow; `nil` extents depend on the data.
struct RuleCase: Sendable, CustomStringConvertible {
    var operation: String
    var inputs: [ValueFact?]
    var attributes: [(String, Attribute.Value)]
    var operatorSet: Int
    var outputs: [[Int?]?]
    var content: [Double?]?

    init(
        _ operation: String, _ inputs: [ValueFact?], _ attributes: [(String, Attribute.Value)] = [], set: Int = 17,
        gives outputs: [Int?]?..., content: [Double?]? = nil
    ) {
        self.operation = operation
        self.inputs = inputs
        self.attributes = attributes
        operatorSet = set
        self.outputs = outputs
        self.content = content
    }

    var description: String { "\(operation)-\(operatorSet) \(inputs.map { $0?.shape ?? [] }) \(attributes)" }

    func run() -> [ValueFact] {
        let parts = operation.split(separator: ":", omittingEmptySubsequences: true)
        let node = Node(
            name: nil, operation: String(parts.last ?? ""), domain: parts.count > 1 ? String(parts[0]) : nil,
            inputs: inputs.indices.map { inputs[$0] == nil ? "" : "i\($0)" }, outputs: outputs.indices.map { "o\($0)" },
            attributes: attributes.map { Attribute(name: $0.0, value: $0.1) })
        guard let rule = InferenceRegistry.rule(for: node) else { return [] }
        return rule(RuleContext(node: node, inputs: inputs, operatorSet: operatorSet))
    }
}

/// A real tensor of this shape.
func real(_ extents: Int?...) -> ValueFact { ValueFact(shape: extents, type: ElementType.float32.rawValue) }

/// Integers whose content is known.
func whole(_ values: Int?...) -> ValueFact {
    ValueFact(
        shape: [values.count], type: ElementType.int64.rawValue, content: values.map { $0.map { Double($0) } })
}

func scalar(_ value: Int) -> ValueFact {
    ValueFact(shape: [], type: ElementType.int64.rawValue, content: [Double(value)])
}

/// Real numbers whose content is known.
func numbers(_ values: Double...) -> ValueFact {
    ValueFact(shape: [values.count], type: ElementType.float32.rawValue, content: values.map { $0 })
}

func text(_ value: String) -> Attribute.Value { .string(Array(value.utf8)) }
