internal import ConverterKit

/// A use of an operator in a program, with the gradients that arrive at its outputs.
struct GradientContext {
    let program: Program
    let use: OperatorUse
    let inputs: [ValueID?]
    /// Every output that the operator has here, also those that the node does not name.
    let outputs: [ValueID?]
    /// By output, `∂L/∂output`; `nil` is zero.
    let gradients: [ValueID?]
    /// By input: whether anything that is asked for depends on it.
    let wants: [Bool]

    var attributes: AttributeList { use.attributes }
    var version: Int { use.version }

    /// Throws when the node leaves the input out.
    func input(_ index: Int) throws -> ValueID {
        guard inputs.indices.contains(index), let id = inputs[index] else {
            throw ExecutionError.missingInput("number \(index) of \(use.key)")
        }
        return id
    }

    func output(_ index: Int = 0) throws -> ValueID {
        guard outputs.indices.contains(index), let id = outputs[index] else {
            throw ExecutionError.internal("\(use.key) has no output \(index)")
        }
        return id
    }

    /// `∂L/∂output 0`, for operators of one output, which are visited only when it is there.
    func gradient() throws -> ValueID {
        guard let id = gradients.first ?? nil else { throw ExecutionError.internal("\(use.key) has no gradient") }
        return id
    }

    func wants(_ index: Int) -> Bool { wants.indices.contains(index) && wants[index] }

    func shape(_ id: ValueID) throws -> [Int] { try program.fact(id).shape }

    func emit(_ name: String, domain: String = "", _ inputs: [ValueID?], _ attributes: AttributeList = [:]) throws
        -> ValueID
    {
        try program.one(name, domain: domain, inputs, attributes)
    }

    func add(_ a: ValueID, _ b: ValueID) throws -> ValueID { try emit("Add", [a, b]) }
    func subtract(_ a: ValueID, _ b: ValueID) throws -> ValueID { try emit("Sub", [a, b]) }
    func multiply(_ a: ValueID, _ b: ValueID) throws -> ValueID { try emit("Mul", [a, b]) }
    func divide(_ a: ValueID, _ b: ValueID) throws -> ValueID { try emit("Div", [a, b]) }
    func negate(_ a: ValueID) throws -> ValueID { try emit("Neg", [a]) }
    func scale(_ a: ValueID, by factor: Double) throws -> ValueID {
        try multiply(a, program.scalar(factor, like: a))
    }
    func matrixProduct(_ a: ValueID, _ b: ValueID) throws -> ValueID { try emit("MatMul", [a, b]) }

    func transpose(_ a: ValueID, _ permutation: [Int]) throws -> ValueID {
        if permutation == Array(permutation.indices) { return a }
        return try emit("Transpose", [a], ["perm": permutation])
    }

    func reshape(_ a: ValueID, _ shape: [Int]) throws -> ValueID {
        if try self.shape(a) == shape { return a }
        return try emit("Reshape", [a, program.constant(shape)], ["allowzero": 1])
    }

    func reduceSum(_ a: ValueID, axes: [Int], keepsAxes: Bool = true) throws -> ValueID {
        if axes.isEmpty { return a }
        return try emit("ReduceSum", [a, program.constant(axes)], ["keepdims": keepsAxes])
    }

    func expand(_ a: ValueID, _ shape: [Int]) throws -> ValueID {
        if try self.shape(a) == shape { return a }
        return try emit("Expand", [a, program.constant(shape)])
    }

    func zeros(like id: ValueID) throws -> ValueID {
        let fact = try program.fact(id)
        return try expand(program.scalar(0, type: fact.type), fact.shape)
    }

    /// The gradient of a value that was broadcast to that of `a`: summed over the axes along which it was repeated.
    func unbroadcast(_ a: ValueID, to shape: [Int]) throws -> ValueID {
        let from = try self.shape(a)
        if from == shape { return a }
        let lead = from.count - shape.count
        let axes = from.indices.filter { $0 < lead || (shape[$0 - lead] == 1 && from[$0] != 1) }
        return try reshape(reduceSum(a, axes: axes), shape)
    }
}

/// From the gradients of an operator's outputs to those of its inputs: one for each input, `nil` for zero or for one that
/// is not wanted.
typealias GradientRule = @Sendable (GradientContext) throws -> [ValueID?]
