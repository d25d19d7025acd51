internal import ConverterKit

/// RotaryEmbedding (Su et al., arXiv 2104.09864): pairs of elements of each head turned by angles that grow with the position.
enum RotaryOperators {
    static let all = [
        Operator("RotaryEmbedding") { try rotation($0, cosine: 1, sine: 2, positions: 3) },
        Operator("RotaryEmbedding", domain: "com.microsoft") { try rotation($0, cosine: 2, sine: 3, positions: 1) },
    ]

    /// X `[batch, rows, heads · width]` or `[batch, heads, rows, width]`. The tables are `[positions, half]` where positions
    /// are given (`[batch, rows]`, or one for the first row), else `[batch, rows, half]`.
    private static func rotation(_ preparation: Preparation, cosine: Int, sine: Int, positions: Int) throws -> Prepared
    {
        let fact = try preparation.fact(0)
        let (cosines, sines) = (try preparation.shape(cosine), try preparation.shape(sine))
        let attributes = preparation.attributes
        guard fact.type.storage == .float, fact.shape.count == 3 || fact.shape.count == 4, cosines == sines,
            let half = cosines.last, half > 0
        else { throw ExecutionError.shape("RotaryEmbedding of \(fact.shape) with tables of \(cosines)") }
        let isByHead = fact.shape.count == 4
        let stated = attributes.int("num_heads", otherwise: 0)
        let size = isByHead ? fact.shape[3] : fact.shape[2]
        let heads = isByHead ? fact.shape[1] : stated > 0 ? stated : max(1, size / (2 * half))
        let (batch, rows) = (fact.shape[0], isByHead ? fact.shape[2] : fact.shape[1])
        guard isByHead || size % heads == 0 else {
            throw ExecutionError.shape("RotaryEmbedding of \(fact.shape) with \(heads) heads")
        }
        let width = isByHead ? size : size / heads
        let turned = attributes.int("rotary_embedding_dim", otherwise: 0)
        let count = turned > 0 ? turned : width
        guard count <= width, count == 2 * half else {
            throw ExecutionError.shape("RotaryEmbedding of heads of \(width) with tables of \(cosines)")
        }
        let isStated = preparation.isStated(positions)
        let isFirst = try isStated && preparation.fact(positions).count == 1 && batch * rows != 1
        if isStated {
            let places = try preparation.fact(positions)
            guard places.type == .int64, isFirst || places.count == batch * rows, cosines.count == 2 else {
                throw ExecutionError.shape("RotaryEmbedding with positions of \(places.shape)")
            }
        } else if cosines != [batch, rows, half] {
            throw ExecutionError.shape("RotaryEmbedding of \(fact.shape) with tables of \(cosines)")
        }
        let limit = cosines.dropLast().reduce(1, *)
        let isInterleaved = attributes.flag("interleaved")
        let layout = isByHead ? HeadLayout.byHead(heads, rows, width) : .byRow(heads, rows, width)
        return Prepared([fact]) { arguments in
            let (x, y) = unsafe (arguments.input(0, Float.self), arguments.output(0, Float.self))
            let (c, s) = unsafe (arguments.input(cosine, Float.self), arguments.input(sine, Float.self))
            let places = unsafe isStated ? arguments.optionalInput(positions, Int64.self) : nil
            func place(_ token: Int) -> Int {
                guard let places = unsafe places else { return token }
                return unsafe isFirst ? Int(places[0]) &+ token % rows : Int(places[token])
            }
            for token in 0..<batch * rows {
                guard place(token) >= 0, place(token) < limit else {
                    throw ExecutionError.shape("RotaryEmbedding at position \(place(token)) of \(limit)")
                }
            }
            arguments.pool.split(batch * rows, grain: max(1, (1 << 13) / max(1, heads * width))) { range in
                for token in range {
                    let (cosines, sines) = unsafe (c + place(token) * half, s + place(token) * half)
                    for head in 0..<heads {
                        let start = layout.offset(token / rows, head) + token % rows * layout.rowStep
                        let (from, to) = unsafe (x + start, y + start)
                        for index in 0..<half {
                            let (i, j) = isInterleaved ? (2 * index, 2 * index + 1) : (index, index + half)
                            let (a, b) = unsafe (from[i], from[j])
                            unsafe to[i] = cosines[index] * a - sines[index] * b
                            unsafe to[j] = sines[index] * a + cosines[index] * b
                        }
                        unsafe (to + count).update(from: from + count, count: width - count)
                    }
                }
            }
        }
    }
}
