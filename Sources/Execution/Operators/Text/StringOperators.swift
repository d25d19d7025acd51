internal import ConverterKit

/// Operators on strings.
enum StringOperators {
    static let all = [normalizer, concat, split]

    /// Removes stop words and changes the case. Of an input without any word left one empty string remains.
    static let normalizer = Operator(evaluating: "StringNormalizer") { call in
        let input = try text(call, 0)
        guard input.shape.count == 1 || (input.shape.count == 2 && input.shape[0] == 1) else {
            throw ExecutionError.shape("StringNormalizer of \(input.shape)")
        }
        let isSensitive = call.attributes.flag("is_case_sensitive")
        let listed = call.attributes.strings("stopwords") ?? []
        let stops = Set(isSensitive ? listed : listed.map { $0.lowercased() })
        var words = input.strings.filter { !stops.contains(isSensitive ? $0 : $0.lowercased()) }
        switch call.attributes.string("case_change_action") ?? "NONE" {
        case "NONE": break
        case "LOWER": words = words.map { $0.lowercased() }
        case "UPPER": words = words.map { $0.uppercased() }
        case let action: throw ExecutionError.attribute("case_change_action is \(action)")
        }
        if words.isEmpty { words = [""] }
        return [.tensor(try TensorValue(strings: words, shape: input.shape.dropLast() + [words.count]))]
    }

    static let concat = Operator(evaluating: "StringConcat") { call in
        let (a, b) = (try text(call, 0), try text(call, 1))
        let shape = try Broadcasting.shape(a.shape, b.shape)
        let (left, right) = (
            Broadcasting.offsets(of: a.shape, in: shape, step: 1), Broadcasting.offsets(of: b.shape, in: shape, step: 1)
        )
        return [
            .tensor(
                try TensorValue(strings: zip(left, right).map { a.strings[$0] + b.strings[$1] }, shape: shape))
        ]
    }

    /// Parts of each string along a new last axis, empty strings after them; and how many there are. Without a delimiter
    /// any run of white space is one.
    static let split = Operator(evaluating: "StringSplit") { call in
        let input = try text(call, 0)
        let delimiter = call.attributes.string("delimiter") ?? ""
        let limit = call.attributes.int("maxsplit").flatMap { $0 < 0 ? nil : $0 } ?? Int.max - 1
        let parts = input.strings.map { string in
            delimiter.isEmpty ? Self.words(string, limit) : Self.parts(string, Array(delimiter), limit)
        }
        let most = parts.map(\.count).max() ?? 0
        let padded = parts.flatMap { $0 + [String](repeating: "", count: most - $0.count) }
        return [
            .tensor(try TensorValue(strings: padded, shape: input.shape + [most])),
            .tensor(try TensorValue(parts.map { Int64($0.count) }, shape: input.shape)),
        ]
    }

    private static func words(_ string: String, _ limit: Int) -> [String] {
        let words = string.split(maxSplits: limit, whereSeparator: \.isWhitespace).map(String.init)
        // What is left after the last split keeps its inner white space, and loses that before it.
        guard words.count == limit + 1, let last = words.last else { return words }
        return words.dropLast() + [String(last.drop(while: \.isWhitespace))].filter { !$0.isEmpty }
    }

    private static func parts(_ string: String, _ delimiter: [Character], _ limit: Int) -> [String] {
        var parts: [String] = []
        var rest = Array(string)[...]
        while parts.count < limit,
            let start = rest.indices.first(where: { rest[$0...].starts(with: delimiter) })
        {
            parts.append(String(rest[..<start]))
            rest = rest[(start + delimiter.count)...]
        }
        return parts + [String(rest)]
    }

    private static func text(_ call: Evaluation, _ index: Int) throws -> TensorValue {
        let tensor = try call.tensor(index)
        guard tensor.type == .string else { throw ExecutionError.type("\(call.use.key) of \(tensor.type)") }
        return tensor
    }
}
