internal import ConverterKit

/// A use of an operator with everything it gets, for operators that are evaluated as a whole.
struct Evaluation {
    let use: OperatorUse
    let inputs: [RuntimeValue?]
    let wanted: [Bool]
    let pool: ThreadPool
    /// Values of the scopes around that the node's subgraphs read.
    let captured: [String: Captured]

    struct Captured {
        var value: RuntimeValue
        /// The same in each run of the node.
        var isConstant: Bool
    }

    var attributes: AttributeList { use.attributes }
    var version: Int { use.version }

    func isStated(_ index: Int) -> Bool { inputs.indices.contains(index) && inputs[index] != nil }

    func value(_ index: Int) throws -> RuntimeValue {
        guard inputs.indices.contains(index), let value = inputs[index] else {
            throw ExecutionError.missingInput("number \(index) of \(use.key)")
        }
        return value
    }

    func tensor(_ index: Int) throws -> TensorValue { try value(index).tensor() }

    /// `nil` for an input that is left out.
    func optionalTensor(_ index: Int) throws -> TensorValue? { isStated(index) ? try tensor(index) : nil }

    /// Runs the graph of the attribute with these inputs.
    func run(_ attribute: String, _ inputs: [RuntimeValue]) throws -> [RuntimeValue] {
        guard let subgraph = use.subgraphs[attribute] else {
            throw ExecutionError.attribute("\(use.key) has no graph \(attribute)")
        }
        return try subgraph.run(inputs, captured: captured, pool: pool)
    }
}
