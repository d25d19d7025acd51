internal import ConverterKit

/// Extents and attributes of a loss over classes.
///
///     scores [batch, classes, d…], target [batch, d…], weight [classes], loss [batch, d…] or one number
struct LossShape: Sendable {
    enum Reduction: String, Sendable {
        case none, sum, mean
    }

    let scores: TensorFact
    let (batch, classes, inner): (Int, Int, Int)
    let reduction: Reduction
    let ignored: Int?
    let targetIsLong: Bool
    let isWeighted: Bool

    /// - Parameters: The positions of the inputs.
    init(_ preparation: Preparation, scores: Int, target: Int, weight: Int) throws {
        let name = preparation.operation
        let fact = try preparation.fact(scores)
        let targets = try preparation.fact(target)
        guard fact.type.storage == .float || fact.type.storage == .double else {
            throw ExecutionError.type("\(name) of \(fact.type)")
        }
        guard targets.type == .int64 || targets.type == .int32 else {
            throw ExecutionError.type("\(name) has targets of \(targets.type)")
        }
        guard fact.shape.count >= 2, [fact.shape[0]] + fact.shape[2...] == targets.shape else {
            throw ExecutionError.shape("\(name) of \(fact.shape) has targets of \(targets.shape)")
        }
        isWeighted = preparation.isStated(weight)
        if isWeighted {
            let expected = TensorFact(type: fact.type, shape: [fact.shape[1]])
            guard try preparation.fact(weight) == expected else {
                throw ExecutionError.shape("\(name) of \(fact.shape) has weights of \(try preparation.shape(weight))")
            }
        }
        guard let reduction = Reduction(rawValue: preparation.attributes.string("reduction") ?? "mean") else {
            throw ExecutionError.attribute("\(name) has no reduction of that name")
        }
        self.scores = fact
        self.reduction = reduction
        (batch, classes, inner) = (fact.shape[0], fact.shape[1], try Array(fact.shape[2...]).elementCount())
        ignored = preparation.attributes.int("ignore_index")
        targetIsLong = targets.type == .int64
    }

    /// Scores, one for each class.
    var rows: Int { batch * inner }

    var loss: TensorFact {
        TensorFact(
            type: scores.type, shape: reduction == .none ? [scores.shape[0]] + scores.shape[2...] : [])
    }

    /// The class of each row; −1 where it is ignored. Throws for a class that there is not.
    func readTargets(_ arguments: KernelArguments, _ index: Int, into targets: UnsafeMutablePointer<Int32>) throws {
        for row in 0..<rows {
            let target =
                targetIsLong
                ? unsafe Int(arguments.input(index, Int64.self)[row])
                : unsafe Int(arguments.input(index, Int32.self)[row])
            if target == ignored {
                unsafe targets[row] = -1
            } else if (0..<classes).contains(target) {
                unsafe targets[row] = Int32(truncatingIfNeeded: target)
            } else {
                throw ExecutionError.shape("a target is class \(target) of \(classes)")
            }
        }
    }
}
