internal import ConverterKit

/// Einsum with an explicit or implied result, without ellipsis.
enum EinsumRules {
    static let table: [String: InferenceRule] = ["Einsum": { [einsum($0)] }]

    private static func einsum(_ context: RuleContext) -> ValueFact {
        let type = context.input(0)?.type
        guard let extents = extents(context), let result = terms(context).map(\.result) else {
            return ValueFact(type: type)
        }
        return ValueFact(shape: result.map { extents[$0] ?? nil }, type: type)
    }

    /// The letters of the operands and of the result.
    static func terms(_ context: RuleContext) -> (operands: [[Character]], result: [Character])? {
        guard let equation = context.node[attribute: "equation"]?.text?.filter({ $0 != " " }), !equation.contains(".")
        else { return nil }
        let sides = equation.split(separator: ">", omittingEmptySubsequences: false)
        let left = sides[0].hasSuffix("-") ? sides[0].dropLast() : sides[0]
        let operands = left.split(separator: ",", omittingEmptySubsequences: false).map { Array($0) }
        if sides.count == 2 { return (operands, Array(sides[1])) }
        // Without an arrow the result has the letters that occur once, in alphabetical order.
        let all = operands.joined()
        return (operands, Set(all).filter { letter in all.filter { $0 == letter }.count == 1 }.sorted())
    }

    private static func extents(_ context: RuleContext) -> [Character: Int?]? {
        guard let terms = terms(context), terms.operands.count == context.inputs.count else { return nil }
        var extents: [Character: Int?] = [:]
        for (index, letters) in terms.operands.enumerated() {
            guard let shape = context.shape(index), shape.count == letters.count else { return nil }
            for (letter, extent) in zip(letters, shape) where (extents[letter] ?? nil) == nil {
                extents[letter] = extent
            }
        }
        return extents
    }
}
