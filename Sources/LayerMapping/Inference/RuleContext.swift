internal import ConverterKit

/// A node with what is known of its inputs, as a rule sees it.
struct RuleContext {
    let node: Node
    let inputs: [ValueFact?]
    /// The version of ONNX's own operators.
    let operatorSet: Int

    func input(_ index: Int) -> ValueFact? { inputs.indices.contains(index) ? inputs[index] : nil }

    func shape(_ index: Int) -> [Int?]? { input(index)?.shape }

    func int(_ name: String) -> Int? { node[attribute: name]?.int.map(Self.bounded) }

    func ints(_ name: String) -> [Int]? { node[attribute: name]?.ints?.map(Self.bounded) }

    /// Numbers of a file are kept so small that the product of two of them does not overflow; a bound such as the
    /// largest integer, for "to the end", keeps its meaning.
    private static func bounded(_ value: Int) -> Int { Swift.min(Swift.max(value, -(1 << 31)), 1 << 31) }

    func isStated(_ index: Int) -> Bool { node.inputs.indices.contains(index) && !node.inputs[index].isEmpty }

    /// Integers that older operator sets state as an attribute and newer ones as an input; `nil` when neither is there.
    /// The inner optional is `nil` when the input's content is not known.
    func list(_ attribute: String, input index: Int) -> [Int]?? {
        if let values = ints(attribute) { return .some(values) }
        guard isStated(index) else { return nil }
        return .some(input(index)?.integers?.map(Self.bounded))
    }
}

/// From what is known of a node's inputs to what follows for its outputs.
typealias InferenceRule = @Sendable (RuleContext) -> [ValueFact]
