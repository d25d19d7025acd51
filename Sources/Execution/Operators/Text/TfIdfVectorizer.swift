internal import ConverterKit

/// Counts of n-grams, weighted. An n-gram is taken of neighbours, and of elements at greater distances up to
/// `max_skip_count` between them.
enum TfIdfOperators {
    static let all = [vectorizer]

    static let vectorizer = Operator(evaluating: "TfIdfVectorizer") { call in
        let input = try call.tensor(0)
        guard input.shape.count <= 2 else { throw ExecutionError.shape("TfIdfVectorizer of \(input.shape)") }
        let table = try NGramTable(call.attributes)
        let width = input.shape.last ?? 1
        let rows = input.shape.count == 2 ? input.shape[0] : 1
        var counts = [Float](repeating: 0, count: try [rows, table.columns].elementCount())
        let words =
            input.type == .string ? input.strings : try input.integers().map { String($0) }
        for row in 0..<rows {
            table.count(words[row * width..<(row + 1) * width]) { counts[row * table.columns + $0] += 1 }
        }
        for index in counts.indices {
            let weight = table.weights.isEmpty ? 1 : table.weights[index % table.columns]
            switch table.mode {
            case .counts: break
            case .presence: counts[index] = counts[index] > 0 ? weight : 0
            case .weighted: counts[index] *= weight
            }
        }
        return [
            .tensor(
                try TensorValue(counts, shape: input.shape.count == 2 ? [rows, table.columns] : [table.columns]))
        ]
    }
}

/// The n-grams that are counted, and the column of each.
private struct NGramTable {
    enum Mode: String {
        case counts = "TF"
        case presence = "IDF"
        case weighted = "TFIDF"
    }

    let mode: Mode
    let columns: Int
    let weights: [Float]
    private let lengths: ClosedRange<Int>
    private let skips: Int
    private var columnsByGram: [[String]: Int] = [:]

    init(_ attributes: AttributeList) throws {
        func stated(_ name: String) throws -> Int {
            guard let value = attributes.int(name), value >= 0, value < 1 << 16 else {
                throw ExecutionError.attribute("\(name) of TfIdfVectorizer")
            }
            return value
        }
        let (least, most) = (try stated("min_gram_length"), try stated("max_gram_length"))
        guard least >= 1, least <= most, let mode = Mode(rawValue: attributes.string("mode") ?? "") else {
            throw ExecutionError.attribute("mode or n-gram lengths of TfIdfVectorizer")
        }
        (lengths, skips) = (least...most, try stated("max_skip_count"))
        self.mode = mode
        let indexes = attributes.ints("ngram_indexes") ?? []
        guard let last = indexes.max(), indexes.allSatisfy({ $0 >= 0 }), last < 1 << 28 else {
            throw ExecutionError.attribute("ngram_indexes of TfIdfVectorizer")
        }
        columns = last + 1
        weights = attributes.floats("weights") ?? []
        let pool = attributes.strings("pool_strings") ?? attributes.ints("pool_int64s")?.map { String($0) } ?? []
        guard weights.isEmpty || weights.count == columns else {
            throw ExecutionError.attribute("weights of TfIdfVectorizer")
        }
        let starts = (attributes.ints("ngram_counts") ?? []) + [pool.count]
        var gram = 0
        for (size, (start, end)) in zip(starts, starts.dropFirst()).enumerated().map({ ($0.offset + 1, $0.element) }) {
            guard start >= 0, start <= end, end <= pool.count, (end - start) % size == 0 else {
                throw ExecutionError.attribute("ngram_counts of TfIdfVectorizer")
            }
            for position in stride(from: start, to: end, by: size) {
                guard indexes.indices.contains(gram) else {
                    throw ExecutionError.attribute("ngram_indexes of TfIdfVectorizer")
                }
                if lengths.contains(size) { columnsByGram[Array(pool[position..<position + size])] = indexes[gram] }
                gram += 1
            }
        }
    }

    /// Calls `found` with the column of each n-gram of a row. Single words count once, whatever the distances are.
    func count(_ words: ArraySlice<String>, _ found: (Int) -> Void) {
        for distance in 1...skips + 1 {
            for start in words.indices {
                var gram: [String] = []
                var position = start
                while position < words.endIndex, gram.count < lengths.upperBound {
                    gram.append(words[position])
                    position += distance
                    guard lengths.contains(gram.count), gram.count > 1 || distance == 1 else { continue }
                    if let column = columnsByGram[gram] { found(column) }
                }
            }
        }
    }
}
