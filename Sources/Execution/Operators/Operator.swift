internal import ConverterKit

/// An operator that graphs may use: how its results are computed, and its gradient.
///
/// Most have a *kernel*: given the types and extents of the inputs (and the content of those that say how far, such as the
/// shape of Reshape) it states those of the outputs, and computes them in memory that is planned ahead. An operator whose
/// outputs have extents that depend on the data, or which handles sequences, strings or subgraphs, is *evaluated* as a
/// whole instead.
struct Operator: Sendable {
    enum Implementation: Sendable {
        case kernel(@Sendable (Preparation) throws -> Prepared)
        case evaluation(@Sendable (Evaluation) throws -> [RuntimeValue?])
    }

    let name: String
    /// "" is ONNX's own.
    let domain: String
    let implementation: Implementation
    /// The vector-Jacobian product; `nil` when the operator has none.
    let gradient: GradientRule?
    /// Largest relative difference from a peer's result that rounding explains.
    let tolerance: Double
    /// False for an operator whose results differ from call to call.
    let isPure: Bool

    init(
        _ name: String, domain: String = "", tolerance: Double = 1e-5, isPure: Bool = true,
        gradient: GradientRule? = nil, prepare: @escaping @Sendable (Preparation) throws -> Prepared
    ) {
        (self.name, self.domain, self.tolerance, self.gradient) = (name, domain, tolerance, gradient)
        self.isPure = isPure
        implementation = .kernel(prepare)
    }

    init(
        evaluating name: String, domain: String = "", tolerance: Double = 1e-5, isPure: Bool = true,
        _ evaluate: @escaping @Sendable (Evaluation) throws -> [RuntimeValue?]
    ) {
        (self.name, self.domain, self.tolerance, gradient) = (name, domain, tolerance, nil)
        self.isPure = isPure
        implementation = .evaluation(evaluate)
    }

    var key: OperatorKey { OperatorKey(domain: domain, name: name) }
}

/// What an operator is known by.
struct OperatorKey: Hashable, Sendable, CustomStringConvertible {
    var domain: String
    var name: String

    /// `ai.onnx` is another spelling of ONNX's own domain.
    init(domain: String, name: String) {
        self.domain = domain == "ai.onnx" ? "" : domain
        self.name = name
    }

    var description: String { domain.isEmpty ? name : "\(domain)::\(name)" }
}

/// A use of an operator: what its node states besides inputs and outputs.
struct OperatorUse {
    var key: OperatorKey
    var attributes: AttributeList
    /// The version of the operator's set that the model imports.
    var version: Int
    /// The node's name, for messages.
    var node: String
    /// The graphs among the attributes, ready to be run.
    var subgraphs: [String: Subgraph] = [:]

    init(_ key: OperatorKey, _ attributes: AttributeList, version: Int, node: String) {
        (self.key, self.attributes, self.version, self.node) = (key, attributes, version, node)
    }
}
