internal import ConverterKit

/// LSTM, GRU and RNN over `[sequence, batch, width]` (or, with `layout` 1, `[batch, sequence, width]`).
enum RecurrentRules {
    static let table: [String: InferenceRule] = ["LSTM": recur, "GRU": recur, "RNN": recur]

    private static func recur(_ context: RuleContext) -> [ValueFact] {
        let type = context.input(0)?.type
        let recurrence = context.shape(2)
        let hidden = context.int("hidden_size") ?? (recurrence.flatMap { $0.last ?? nil })
        let directions: Int? =
            context.node[attribute: "direction"]?.text == "bidirectional" ? 2 : recurrence?.first.flatMap { $0 } ?? 1
        guard let input = context.shape(0), input.count == 3 else { return [ValueFact(type: type)] }
        let batchFirst = context.int("layout") == 1
        let output: [Int?] =
            batchFirst
            ? [input[0], input[1], directions, hidden] : [input[0], directions, input[1], hidden]
        let state: [Int?] = batchFirst ? [input[0], directions, hidden] : [directions, input[1], hidden]
        let last = ValueFact(shape: state, type: type)
        return [ValueFact(shape: output, type: type), last, last]
    }
}
