internal import ConverterKit

/// MultiHeadAttention of com.microsoft.
enum MultiHeadAttentionOperators {
    static let all = [attention]

    /// Query `[batch, rows, heads · width]`, or packed with key and value `[batch, rows, heads, 3, width]`; key and value
    /// likewise, packed `[batch, keys, heads, 2, width]`, or `[batch, heads, keys, width]`. Then bias, mask of keys, bias of
    /// the scores, past key and value. Outputs: Y `[batch, rows, heads · width]`, present key and value.
    static let attention = Operator("MultiHeadAttention", domain: "com.microsoft", tolerance: 1e-4) { preparation in
        let form = try Form(preparation)
        let core = form.core
        let hasPresent = form.past > 0 || preparation.isWanted(1) || preparation.isWanted(2)
        guard !preparation.isWanted(3) else {
            throw ExecutionError.unsupported("MultiHeadAttention with its scores as an output is not executed")
        }
        let (batch, heads, total) = (core.batch, core.heads, core.keys.rows)
        let mask =
            try preparation.isStated(4)
            ? KeyMask(preparation.fact(4), preparation.attributes, batch: batch, rows: core.queries.rows, keys: total)
            : nil
        let bias =
            try preparation.isStated(5)
            ? AttentionBias(preparation.fact(5), batch: batch, heads: heads, rows: core.queries.rows, keys: total) : nil
        let isCausal = preparation.attributes.flag("unidirectional")
        let outputs = [form.output] + (hasPresent ? [form.presentKey, form.presentValue] : [])
        let sizes = form.sources.map { Arena.rounded(batch * heads * $0.layout.rows * $0.layout.width * 4) / 4 }
        let hasBias = preparation.isStated(3)
        return Prepared(
            outputs,
            scratch: (hasBias ? 4 * sizes.reduce(0, +) : 0) + core.scratchBytes(threads: preparation.threads),
            macs: core.macs
        ) { arguments in
            var scratch = unsafe arguments.scratch(Float.self)
            var places: [UnsafePointer<Float>] = unsafe []
            for (index, source) in form.sources.enumerated() {
                let from = unsafe arguments.input(source.input, Float.self) + source.start
                if let addend = unsafe arguments.optionalInput(3, Float.self) {
                    unsafe source.add(addend, to: from, batch: batch, heads: heads, into: scratch, arguments.pool)
                    unsafe places.append(UnsafePointer(scratch))
                    unsafe scratch += sizes[index]
                } else {
                    unsafe places.append(from)
                }
            }
            var (k, v) = unsafe (places[1], places[2])
            if hasPresent {
                let (key, value) = unsafe (arguments.output(1, Float.self), arguments.output(2, Float.self))
                unsafe form.keys.append(k, to: arguments.optionalInput(6), into: key, arguments.pool)
                unsafe form.values.append(v, to: arguments.optionalInput(7), into: value, arguments.pool)
                if form.past > 0 { unsafe (k, v) = (UnsafePointer(key), UnsafePointer(value)) }
            }
            let masks = unsafe arguments.optionalInput(4, Int32.self)
            let biases = unsafe arguments.optionalInput(5, UInt8.self)
            unsafe core.run(
                places[0], k, v, into: arguments.output(0), scratch: scratch, pool: arguments.pool
            ) { scores, image, head, rows in
                if let mask, let masks = unsafe masks {
                    unsafe mask.add(masks, to: scores, image: image, rows: rows)
                }
                if let bias, let biases = unsafe biases {
                    unsafe bias.add(biases, to: scores, image: image, head: head, rows: rows, keys: total)
                }
                if isCausal {
                    unsafe AttentionBias.applyCausality(scores, rows: rows, keys: total, offset: form.past)
                }
            }
        }
    }

    /// Where queries, keys or values lie, and which of the bias belongs to them.
    private struct Source: Sendable {
        var input: Int
        var start = 0
        var layout: HeadLayout
        var bias: Int

        @unsafe func add(
            _ addend: UnsafePointer<Float>, to from: UnsafePointer<Float>, batch: Int, heads: Int,
            into to: UnsafeMutablePointer<Float>, _ pool: ThreadPool
        ) {
            let target = HeadLayout.byRow(heads, layout.rows, layout.width)
            pool.split(batch * layout.rows, grain: max(1, (1 << 14) / max(1, target.rowStep))) { tokens in
                for token in tokens {
                    let (image, row) = token.quotientAndRemainder(dividingBy: layout.rows)
                    for head in 0..<heads {
                        let source = unsafe from + layout.offset(image, head) + row * layout.rowStep
                        let place = unsafe to + target.offset(image, head) + row * target.rowStep
                        let own = unsafe addend + bias + head * layout.width
                        for index in 0..<layout.width { unsafe place[index] = source[index] + own[index] }
                    }
                }
            }
        }
    }

    private struct Form {
        let core: ScaledAttention
        let sources: [Source]
        let past: Int
        let output: TensorFact
        let presentKey: TensorFact
        let presentValue: TensorFact
        let keys: Cache
        let values: Cache

        init(_ preparation: Preparation) throws {
            let query = try preparation.fact(0)
            let shape = query.shape
            let attributes = preparation.attributes
            let heads = attributes.int("num_heads", otherwise: 0)
            let misfit = ExecutionError.shape("MultiHeadAttention of \(shape) with \(heads) heads")
            guard heads > 0, heads < WindowAttributes.limit,
                try (0..<min(preparation.inputs.count, 8)).allSatisfy({
                    try !preparation.isStated($0) || $0 == 4 || preparation.type($0).storage == .float
                })
            else { throw misfit }
            var sources: [Source]
            if shape.count == 5 {
                guard shape[2] == heads, shape[3] == 3, !preparation.isStated(1) else { throw misfit }
                let width = shape[4]
                let layout = HeadLayout(
                    rows: shape[1], width: width, batchStep: shape[1] * heads * 3 * width, headStep: 3 * width,
                    rowStep: heads * 3 * width)
                sources = (0..<3).map { Source(input: 0, start: $0 * width, layout: layout, bias: $0 * heads * width) }
            } else {
                guard shape.count == 3, shape[2] % heads == 0 else { throw misfit }
                let width = shape[2] / heads
                sources = [Source(input: 0, layout: .byRow(heads, shape[1], width), bias: 0)]
                let key = try preparation.shape(1)
                if key.count == 5 {
                    guard key[0] == shape[0], key[2] == heads, key[3] == 2, key[4] == width else { throw misfit }
                    let layout = HeadLayout(
                        rows: key[1], width: width, batchStep: key[1] * heads * 2 * width, headStep: 2 * width,
                        rowStep: heads * 2 * width)
                    sources += (0..<2).map {
                        Source(input: 1, start: $0 * width, layout: layout, bias: ($0 + 1) * heads * width)
                    }
                } else {
                    for index in 1...2 {
                        let other = try preparation.shape(index)
                        let bias = index == 1 ? heads * width : 2 * heads * width
                        if other.count == 4, other[0] == shape[0], other[1] == heads {
                            sources.append(
                                Source(input: index, layout: .byHead(heads, other[2], other[3]), bias: bias))
                        } else {
                            guard other.count == 3, other[0] == shape[0], other[2] % heads == 0 else { throw misfit }
                            sources.append(
                                Source(
                                    input: index, layout: .byRow(heads, other[1], other[2] / heads), bias: bias))
                        }
                    }
                }
            }
            let (q, v) = (sources[0].layout, sources[2].layout)
            let batch = shape[0]
            if preparation.isStated(3) {
                guard try preparation.shape(3) == [heads * (2 * q.width + v.width)] else { throw misfit }
            }
            past = preparation.isStated(6) ? try preparation.fact(6).shape.dropFirst(2).first ?? 0 : 0
            if preparation.isStated(6) {
                guard try preparation.shape(6) == [batch, heads, past, q.width],
                    try preparation.shape(7) == [batch, heads, past, v.width]
                else { throw misfit }
            }
            let hasBias = preparation.isStated(3)
            let layouts = sources.map { hasBias ? .byRow(heads, $0.layout.rows, $0.layout.width) : $0.layout }
            self.sources = sources
            keys = Cache(batch: batch, heads: heads, past: past, new: layouts[1])
            values = Cache(batch: batch, heads: heads, past: past, new: layouts[2])
            let type = query.type
            presentKey = TensorFact(type: type, shape: [batch, heads, past + layouts[1].rows, q.width])
            presentValue = TensorFact(type: type, shape: [batch, heads, past + layouts[2].rows, v.width])
            output = TensorFact(type: type, shape: [batch, q.rows, heads * v.width])
            core = try ScaledAttention(
                batch: batch, heads: heads, keyHeads: heads, scale: AttentionScale.stated(attributes, width: q.width),
                queries: layouts[0], keys: past > 0 ? keys.present : layouts[1],
                values: past > 0 ? values.present : layouts[2], output: .byRow(heads, q.rows, v.width))
        }
    }
}
