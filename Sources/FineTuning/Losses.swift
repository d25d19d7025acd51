internal import ConverterKit
internal import Execution

/// The losses of fine-tuning, as parts of a training graph.
struct Losses {
    let graph: TrainingGraph

    /// `T² · mean_n Σ_c softmax(t/T) · (log softmax(t/T) − log softmax(s/T))` without its constant part: distillation
    /// (Hinton et al., arXiv 1503.02531, §2). Logits are `[N, classes]`.
    func distillation(student: TrainingGraph.Value, teacher: TrainingGraph.Value, temperature: Double) throws
        -> TrainingGraph.Value
    {
        let images = try graph.shape(of: student)[0]
        let inverse = try number(1 / temperature)
        let wanted = try graph.apply("Softmax", [graph.apply("Mul", [teacher, inverse])], ints: ["axis": -1])
        let given = try graph.apply("LogSoftmax", [graph.apply("Mul", [student, inverse])], ints: ["axis": -1])
        let sum = try graph.apply("ReduceSum", [graph.apply("Mul", [wanted, given])], ints: ["keepdims": 0])
        return try scaled(sum, by: -temperature * temperature / Double(max(1, images)))
    }

    /// `Σ_i mean ‖O_i − D_i‖²` over pairs of values (§3 of the paper), by element or as a sum.
    func dissimilarity(_ pairs: [(TrainingGraph.Value, TrainingGraph.Value)], sums: Bool) throws
        -> TrainingGraph.Value?
    {
        var total: TrainingGraph.Value?
        for (original, replaced) in pairs {
            let difference = try graph.apply("Sub", [original, replaced])
            let sum = try graph.apply(
                "ReduceSum", [graph.apply("Mul", [difference, difference])], ints: ["keepdims": 0])
            let shape = try graph.shape(of: original)
            let part = try scaled(sum, by: sums ? 1 / Double(shape.first ?? 1) : 1 / Double(shape.reduce(1, *)))
            total = try total.map { try graph.apply("Add", [$0, part]) } ?? part
        }
        return total
    }

    /// `a + factor · b`.
    func sum(_ a: TrainingGraph.Value?, _ b: TrainingGraph.Value?, times factor: Double) throws -> TrainingGraph.Value?
    {
        guard let b, factor != 0 else { return a }
        let part = try scaled(b, by: factor)
        return try a.map { try graph.apply("Add", [$0, part]) } ?? part
    }

    func scaled(_ value: TrainingGraph.Value, by factor: Double) throws -> TrainingGraph.Value {
        factor == 1 ? value : try graph.apply("Mul", [value, number(factor)])
    }

    private func number(_ value: Double) throws -> TrainingGraph.Value {
        graph.constant(try TensorValue([Float(value)], shape: []))
    }
}
