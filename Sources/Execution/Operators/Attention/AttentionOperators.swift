internal import ConverterKit

/// ONNX's Attention.
enum AttentionOperators {
    static let all = [attention]

    /// Q, K, V `[batch, rows, heads · width]` or `[batch, heads, rows, width]`, optional bias or mask, past keys and
    /// values, and (from version 24) the number of keys of each image. Outputs: Y in the form of Q, present keys and values
    /// `[batch, heads, rows, width]`, and the scores.
    static let attention = Operator("Attention", tolerance: 1e-4) { preparation in
        let form = try Form(preparation)
        let (core, hasPast) = (form.core, form.past > 0)
        let needsPresent = preparation.isStated(4) || preparation.isWanted(1) || preparation.isWanted(2)
        let mask = try preparation.isStated(3) ? form.mask(preparation.fact(3)) : nil
        let isCausal = preparation.attributes.flag("is_causal")
        let left = preparation.attributes.int("left_window_size", otherwise: -1)
        let right = preparation.attributes.int("right_window_size", otherwise: -1)
        let stage = ScaledAttention.Stage(
            rawValue: preparation.attributes.int("qk_matmul_output_mode", otherwise: 0))
        let showsScores = preparation.isWanted(3)
        if preparation.isStated(6), try preparation.fact(6) != TensorFact(type: .int64, shape: [core.batch]) {
            throw ExecutionError.shape("Attention with lengths of \(try preparation.shape(6))")
        }
        let scores = TensorFact(type: form.type, shape: [core.batch, core.heads, core.queries.rows, core.keys.rows])
        var outputs = [form.output]
        if needsPresent || showsScores { outputs += [form.presentKey, form.presentValue] }
        if showsScores { outputs.append(scores) }
        return Prepared(
            outputs, scratch: core.scratchBytes(threads: preparation.threads), macs: core.macs
        ) { arguments in
            let q = unsafe arguments.input(0, Float.self)
            var (k, v) = unsafe (arguments.input(1, Float.self), arguments.input(2, Float.self))
            if outputs.count > 1 {
                let (key, value) = unsafe (arguments.output(1, Float.self), arguments.output(2, Float.self))
                unsafe form.keys.append(k, to: arguments.optionalInput(4), into: key, arguments.pool)
                unsafe form.values.append(v, to: arguments.optionalInput(5), into: value, arguments.pool)
                if form.usesPresent { unsafe (k, v) = (UnsafePointer(key), UnsafePointer(value)) }
            }
            let bias = unsafe arguments.optionalInput(3, UInt8.self)
            let lengths = unsafe arguments.optionalInput(6, Int64.self)
            let shown =
                unsafe showsScores
                ? stage.map { unsafe (stage: $0, place: arguments.output(3, Float.self)) } : nil
            let keys = core.keys.rows
            unsafe core.run(
                q, k, v, into: arguments.output(0), scratch: arguments.scratch(), pool: arguments.pool, shown: shown
            ) { scores, image, head, rows in
                if let mask, let bias = unsafe bias {
                    unsafe mask.add(bias, to: scores, image: image, head: head, rows: rows, keys: keys)
                }
                let length = unsafe lengths.map { unsafe Int(min(max(0, $0[image]), Int64(keys))) }
                let offset = hasPast ? form.past : length.map { $0 - core.queries.rows } ?? 0
                if isCausal {
                    unsafe AttentionBias.applyCausality(scores, rows: rows, keys: keys, offset: offset)
                }
                for (index, row) in rows.enumerated() {
                    let to = unsafe scores + index * keys
                    if let length { for key in length..<keys { unsafe to[key] = -.infinity } }
                    guard left >= 0 || right >= 0 else { continue }
                    for key in 0..<keys {
                        let distance = row + offset - key
                        if left >= 0 && distance > left || right >= 0 && -distance > right {
                            unsafe to[key] = -.infinity
                        }
                    }
                }
            }
        }
    }

    /// The extents of a use of Attention.
    private struct Form {
        let type: ElementType
        let core: ScaledAttention
        let past: Int
        let output: TensorFact
        let presentKey: TensorFact
        let presentValue: TensorFact
        let keys: Cache
        let values: Cache
        /// Keys and values are read where the present ones are put.
        let usesPresent: Bool

        init(_ preparation: Preparation) throws {
            let facts = try (0..<3).map { try preparation.fact($0) }
            let shapes = facts.map(\.shape)
            let attributes = preparation.attributes
            guard let rank = shapes.first?.count, rank == 3 || rank == 4, shapes.allSatisfy({ $0.count == rank }),
                shapes.allSatisfy({ $0[0] == shapes[0][0] }), facts.allSatisfy({ $0.type.storage == .float })
            else { throw ExecutionError.shape("Attention of \(facts.map { "\($0.type) \($0.shape)" })") }
            type = facts[0].type
            let heads = rank == 4 ? shapes[0][1] : attributes.int("q_num_heads", otherwise: 0)
            let keyHeads = rank == 4 ? shapes[1][1] : attributes.int("kv_num_heads", otherwise: 0)
            guard heads > 0, keyHeads > 0, rank == 3 || shapes[2][1] == keyHeads,
                rank == 4
                    || (shapes[0][2] % heads == 0 && shapes[1][2] % keyHeads == 0 && shapes[2][2] % keyHeads == 0)
            else { throw ExecutionError.shape("Attention of \(shapes) with \(heads) and \(keyHeads) heads") }
            func layout(_ index: Int, _ count: Int) -> HeadLayout {
                let shape = shapes[index]
                return rank == 4 ? .byHead(count, shape[2], shape[3]) : .byRow(count, shape[1], shape[2] / count)
            }
            let (q, k, v) = (layout(0, heads), layout(1, keyHeads), layout(2, keyHeads))
            let batch = shapes[0][0]
            var past = 0
            if preparation.isStated(4) {
                let (key, value) = (try preparation.shape(4), try preparation.shape(5))
                guard key.count == 4, value.count == 4, key[2] == value[2],
                    key == [batch, keyHeads, key[2], k.width], value == [batch, keyHeads, key[2], v.width]
                else { throw ExecutionError.shape("Attention with past keys of \(key) and values of \(value)") }
                past = key[2]
            }
            self.past = past
            usesPresent = past > 0
            keys = Cache(batch: batch, heads: keyHeads, past: past, new: k)
            values = Cache(batch: batch, heads: keyHeads, past: past, new: v)
            presentKey = TensorFact(type: type, shape: [batch, keyHeads, past + k.rows, k.width])
            presentValue = TensorFact(type: type, shape: [batch, keyHeads, past + v.rows, v.width])
            output = TensorFact(
                type: type,
                shape: rank == 4 ? [batch, heads, q.rows, v.width] : [batch, q.rows, heads * v.width])
            core = try ScaledAttention(
                batch: batch, heads: heads, keyHeads: keyHeads,
                scale: attributes.float("scale").map { Double($0) } ?? 1 / Double(max(1, q.width)).squareRoot(),
                softcap: attributes.float("softcap", otherwise: 0), queries: q, keys: past > 0 ? keys.present : k,
                values: past > 0 ? values.present : v,
                output: rank == 4 ? .byHead(heads, q.rows, v.width) : .byRow(heads, q.rows, v.width))
        }

        func mask(_ fact: TensorFact) throws -> AttentionBias {
            try AttentionBias(
                fact, batch: core.batch, heads: core.heads, rows: core.queries.rows, keys: core.keys.rows)
        }
    }
}

/// Keys or values of earlier calls with those of this one behind them, `[batch, heads, rows, width]`.
struct Cache: Sendable {
    let batch: Int
    let heads: Int
    let past: Int
    let new: HeadLayout

    var present: HeadLayout { .byHead(heads, past + new.rows, new.width) }

    @unsafe func append(
        _ rows: UnsafePointer<Float>, to past: UnsafePointer<Float>?, into present: UnsafeMutablePointer<Float>,
        _ pool: ThreadPool
    ) {
        let (before, width) = (self.past * new.width, new.width)
        pool.split(batch * heads, grain: max(1, (1 << 14) / max(1, self.present.headStep))) { pairs in
            for pair in pairs {
                let to = unsafe present + pair * self.present.headStep
                if let past = unsafe past { unsafe to.update(from: past + pair * before, count: before) }
                let from = unsafe rows + new.offset(pair / heads, pair % heads)
                for row in 0..<new.rows {
                    unsafe (to + before + row * width).update(from: from + row * new.rowStep, count: width)
                }
            }
        }
    }
}
