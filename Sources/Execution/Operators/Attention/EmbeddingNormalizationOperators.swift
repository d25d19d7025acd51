internal import ConverterKit

/// EmbedLayerNormalization of com.microsoft: the sum of the embeddings of words, positions and segments, normalised.
enum EmbeddingNormalizationOperators {
    static let all = [embedding]

    /// Words and segments `[batch, rows]`, tables of words, positions and segments `[count, width]`, scale and bias
    /// `[width]`, mask `[batch, rows]`, positions `[batch, rows]` or `[1, rows]`. Outputs: Y `[batch, rows, width]`, the
    /// number of words that the mask leaves, and the sum.
    static let embedding = Operator("EmbedLayerNormalization", domain: "com.microsoft") { preparation in
        let (words, table) = (try preparation.fact(0), try preparation.fact(2))
        let (places, segments) = (try preparation.fact(3), preparation.isStated(1) && preparation.isStated(4))
        guard words.type == .int32, words.shape.count == 2, table.shape.count == 2, places.shape.count == 2,
            table.type.storage == .float, places.shape[1] == table.shape[1],
            try (5...6).allSatisfy({ try preparation.shape($0) == [table.shape[1]] })
        else { throw ExecutionError.shape("EmbedLayerNormalization of \(words.type) \(words.shape)") }
        let (batch, rows, width) = (words.shape[0], words.shape[1], table.shape[1])
        var segmentCount = 0
        if segments {
            let segment = try preparation.shape(4)
            guard try preparation.fact(1) == words, segment.count == 2, segment[1] == width else {
                throw ExecutionError.shape("EmbedLayerNormalization with segments of \(segment)")
            }
            segmentCount = segment[0]
        }
        if preparation.isStated(7), try preparation.fact(7) != words {
            throw ExecutionError.shape("EmbedLayerNormalization with a mask of \(try preparation.shape(7))")
        }
        var positionStep = rows
        if preparation.isStated(8) {
            let positions = try preparation.fact(8)
            guard positions.type == .int32, positions.shape == [batch, rows] || positions.shape == [1, rows] else {
                throw ExecutionError.shape("EmbedLayerNormalization with positions of \(positions.shape)")
            }
            positionStep = positions.shape[0] == 1 ? 0 : rows
        }
        let (wordCount, placeCount, step) = (table.shape[0], places.shape[0], positionStep)
        let normalization = RowNormalization(
            rows: batch * rows, count: width, isCentred: true,
            epsilon: Double(preparation.attributes.float("epsilon", otherwise: 1e-12)))
        let output = TensorFact(type: table.type, shape: [batch, rows, width])
        let segmentLimit = segmentCount
        return Prepared([output, TensorFact(type: .int32, shape: [batch]), output]) { arguments in
            let ids = unsafe arguments.input(0, Int32.self)
            let (table, places) = unsafe (arguments.input(2, Float.self), arguments.input(3, Float.self))
            let kinds = unsafe segments ? arguments.optionalInput(1, Int32.self) : nil
            let kindTable = unsafe segments ? arguments.optionalInput(4, Float.self) : nil
            let (mask, positions) = unsafe (
                arguments.optionalInput(7, Int32.self), arguments.optionalInput(8, Int32.self)
            )
            let (y, sum) = unsafe (arguments.output(0, Float.self), arguments.output(2, Float.self))
            let counts = unsafe arguments.output(1, Int32.self)
            for image in 0..<batch {
                var count: Int32 = 0
                if let mask = unsafe mask {
                    for row in 0..<rows where unsafe mask[image * rows + row] == 1 { count += 1 }
                }
                unsafe counts[image] = count
                for row in 0..<rows {
                    let token = image * rows + row
                    let word = unsafe Int(ids[token])
                    let place = unsafe positions.map { unsafe Int($0[image * step + row]) } ?? row
                    let kind = unsafe kinds.map { unsafe Int($0[token]) } ?? 0
                    guard (0..<wordCount).contains(word), (0..<placeCount).contains(place),
                        !segments || (0..<segmentLimit).contains(kind)
                    else {
                        throw ExecutionError.shape("EmbedLayerNormalization of word \(word) at \(place)")
                    }
                    let to = unsafe sum + token * width
                    for index in 0..<width {
                        unsafe to[index] =
                            table[word * width + index] + places[place * width + index]
                            + (kindTable?[kind * width + index] ?? 0)
                    }
                }
            }
            let (scale, bias) = unsafe (arguments.input(5, Float.self), arguments.input(6, Float.self))
            arguments.pool.split(batch * rows, grain: normalization.grain) { range in
                unsafe normalization.run(
                    UnsafePointer(sum), scale: scale, bias: bias, into: y, mean: nil, inverse: nil, rows: range)
            }
        }
    }
}
