/// What a graph's value may be while it runs.
public enum RuntimeValue: Sendable {
    case tensor(TensorValue)
    indirect case sequence([RuntimeValue])
    indirect case optional(RuntimeValue?)

    /// The tensor. Throws `execution.type` for anything else.
    public func tensor() throws -> TensorValue {
        switch self {
        case .tensor(let tensor): return tensor
        case .optional(let value?): return try value.tensor()
        default: throw ExecutionError.type("a tensor is wanted here, and this is a sequence or nothing")
        }
    }
}
