internal import ConverterKit

/// Recurrent layers.
enum RecurrentOperators {
    static let all = [lstm, gru, rnn]

    ///     i, o, f = σ(X·Wᵀ + H·Rᵀ + P ⊙ C + b),  C ← f ⊙ C + i ⊙ tanh(X·Wcᵀ + H·Rcᵀ + bc),  H ← o ⊙ tanh(C)
    static let lstm = Operator("LSTM", tolerance: 1e-4) { preparation in
        let shape = try RecurrentShape(preparation, gates: 4, states: [5, 6])
        if preparation.isStated(7) {
            guard try preparation.fact(7) == TensorFact(type: shape.type, shape: [shape.directions, 3 * shape.hidden])
            else { throw ExecutionError.shape("the peepholes of LSTM are \(try preparation.shape(7))") }
        }
        return try prepared(
            preparation, shape, .lstm(joinsForget: preparation.attributes.flag("input_forget")),
            activations: ["Sigmoid", "Tanh", "Tanh"], outputs: [shape.output, shape.state, shape.state])
    }

    ///     z, r = σ(X·Wᵀ + H·Rᵀ + b),  h = tanh(X·Whᵀ + (r ⊙ H)·Rhᵀ + bh),  H ← (1 − z) ⊙ h + z ⊙ H
    static let gru = Operator("GRU", tolerance: 1e-4) { preparation in
        let shape = try RecurrentShape(preparation, gates: 3, states: [5])
        return try prepared(
            preparation, shape, .gru(isLinear: preparation.attributes.flag("linear_before_reset")),
            activations: ["Sigmoid", "Tanh"], outputs: [shape.output, shape.state])
    }

    ///     H ← tanh(X·Wᵀ + H·Rᵀ + b)
    static let rnn = Operator("RNN", tolerance: 1e-4) { preparation in
        let shape = try RecurrentShape(preparation, gates: 1, states: [5])
        return try prepared(
            preparation, shape, .rnn, activations: ["Tanh"], outputs: [shape.output, shape.state])
    }

    private static func prepared(
        _ preparation: Preparation, _ shape: RecurrentShape, _ cell: Recurrence.Cell, activations: [String],
        outputs: [TensorFact]
    ) throws -> Prepared {
        let clip = preparation.attributes.float("clip", otherwise: 0)
        let recurrence = Recurrence(
            shape: shape, cell: cell,
            activations: try GateActivation.all(
                preparation.attributes, standard: activations, directions: shape.directions),
            clip: clip > 0 ? clip : nil)
        return Prepared(
            outputs, scratch: try [recurrence.scratchElements, MemoryLayout<Float>.stride].elementCount(),
            macs: shape.macs
        ) { arguments in recurrence.run(arguments) }
    }
}
