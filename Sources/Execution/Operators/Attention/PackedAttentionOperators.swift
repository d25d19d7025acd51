internal import ConverterKit

/// Attention of com.microsoft: the projections to queries, keys and values are part of the operator.
enum PackedAttentionOperators {
    static let all = [attention]

    /// X `[batch, rows, n]`, W `[n, q + k + v]`, bias `[q + k + v]`, optional mask, past `[2, batch, heads, rows, width]`
    /// and bias of the scores. Outputs: Y `[batch, rows, v]`, and keys and values, past and present.
    static let attention = Operator("Attention", domain: "com.microsoft", tolerance: 1e-4) { preparation in
        let (x, weight) = (try preparation.fact(0), try preparation.fact(1))
        let attributes = preparation.attributes
        let heads = attributes.int("num_heads", otherwise: 0)
        guard x.shape.count == 3, weight.shape.count == 2, weight.shape[0] == x.shape[2], heads > 0,
            x.type.storage == .float, weight.type.storage == .float, !attributes.flag("do_rotary"),
            !attributes.flag("past_present_share_buffer")
        else { throw ExecutionError.unsupported("Attention of \(x.shape) with a weight of \(weight.shape)") }
        let (batch, rows, all) = (x.shape[0], x.shape[1], weight.shape[1])
        let sizes = attributes.ints("qkv_hidden_sizes") ?? [all / 3, all / 3, all / 3]
        guard sizes.count == 3, sizes.allSatisfy({ $0 > 0 && $0 <= all && $0 % heads == 0 }), sizes[0] == sizes[1],
            sizes.reduce(0, +) == all, try !preparation.isStated(2) || preparation.shape(2) == [all]
        else { throw ExecutionError.shape("Attention of \(heads) heads with projections of \(sizes)") }
        let widths = sizes.map { $0 / heads }
        func part(_ index: Int) -> HeadLayout { .byRow(heads, rows, widths[index], rowStep: all) }
        var past = 0
        if preparation.isStated(4) {
            let shape = try preparation.shape(4)
            guard shape.count == 5, shape == [2, batch, heads, shape[3], widths[1]], widths[1] == widths[2] else {
                throw ExecutionError.shape("Attention with a past of \(shape)")
            }
            past = shape[3]
        }
        let keys = Cache(batch: batch, heads: heads, past: past, new: part(1))
        let values = Cache(batch: batch, heads: heads, past: past, new: part(2))
        let usesPresent = past > 0
        let total = past + rows
        let core = try ScaledAttention(
            batch: batch, heads: heads, keyHeads: heads, scale: AttentionScale.stated(attributes, width: widths[0]),
            queries: part(0), keys: usesPresent ? keys.present : part(1),
            values: usesPresent ? values.present : part(2), output: .byRow(heads, rows, widths[2]))
        let mask =
            try preparation.isStated(3)
            ? KeyMask(preparation.fact(3), attributes, batch: batch, rows: rows, keys: total) : nil
        let bias =
            try preparation.isStated(5)
            ? AttentionBias(preparation.fact(5), batch: batch, heads: heads, rows: rows, keys: total) : nil
        let isCausal = attributes.flag("unidirectional")
        let projection = try MatrixProduct(
            m: batch * rows, n: all, k: x.shape[2], beta: preparation.isStated(2) ? 1 : 0)
        let projected = Arena.rounded(batch * rows * all * 4) / 4
        let hasPresent = preparation.isStated(4) || preparation.isWanted(1)
        var outputs = [TensorFact(type: x.type, shape: [batch, rows, sizes[2]])]
        if hasPresent {
            guard widths[1] == widths[2] else { throw ExecutionError.shape("Attention with a present of \(widths)") }
            outputs.append(TensorFact(type: x.type, shape: [2, batch, heads, total, widths[1]]))
        }
        let pastCount = batch * heads * past * widths[1]
        let presentCount = batch * heads * total * widths[1]
        return Prepared(
            outputs, scratch: 4 * projected + core.scratchBytes(threads: preparation.threads),
            macs: core.macs + projection.macs
        ) { arguments in
            let scratch = unsafe arguments.scratch(Float.self)
            if let addend = unsafe arguments.optionalInput(2, Float.self) {
                for row in 0..<batch * rows { unsafe (scratch + row * all).update(from: addend, count: all) }
            }
            unsafe projection.run(
                arguments.input(0), arguments.input(1), into: scratch, pool: arguments.pool)
            let q = unsafe UnsafePointer(scratch)
            var (k, v) = unsafe (q + sizes[0], q + sizes[0] + sizes[1])
            if hasPresent {
                let (before, present) = unsafe (arguments.optionalInput(4, Float.self), arguments.output(1, Float.self))
                unsafe keys.append(k, to: before, into: present, arguments.pool)
                unsafe values.append(
                    v, to: before.map { unsafe $0 + pastCount }, into: present + presentCount, arguments.pool)
                if usesPresent { unsafe (k, v) = (UnsafePointer(present), UnsafePointer(present + presentCount)) }
            }
            let masks = unsafe arguments.optionalInput(3, Int32.self)
            let biases = unsafe arguments.optionalInput(5, UInt8.self)
            unsafe core.run(
                q, k, v, into: arguments.output(0), scratch: scratch + projected, pool: arguments.pool
            ) { scores, image, head, rows in
                if let mask, let masks = unsafe masks {
                    unsafe mask.add(masks, to: scores, image: image, rows: rows)
                }
                if let bias, let biases = unsafe biases {
                    unsafe bias.add(biases, to: scores, image: image, head: head, rows: rows, keys: total)
                }
                if isCausal { unsafe AttentionBias.applyCausality(scores, rows: rows, keys: total, offset: past) }
            }
        }
    }
}

enum AttentionScale {
    /// The attribute, and `1 / √width` where it is left out or 0.
    static func stated(_ attributes: AttributeList, width: Int) -> Double {
        let scale = Double(attributes.float("scale", otherwise: 0))
        return scale == 0 ? 1 / Double(max(1, width)).squareRoot() : scale
    }
}

/// The masks of com.microsoft's operators, of 32-bit integers: `mask_filter_value` is added where a key is not attended to.
struct KeyMask: Sendable {
    enum Form {
        /// `[batch]`: how many keys there are.
        case lengths
        /// `[2 · batch]`: one beyond the last key of each image, then the first ones.
        case ends
        /// Zero for a key that is not attended to: `[batch, keys]`, `[batch, rows, keys]` or `[batch, 1, most, most]`, by
        /// the elements from one image and one row to the next.
        case elements(imageStep: Int, rowStep: Int)
    }

    private let form: Form
    private let filter: Float
    private let batch: Int
    private let keys: Int
    /// The first row's place among the rows of a mask for all keys.
    private let firstRow: Int

    init(_ fact: TensorFact, _ attributes: AttributeList, batch: Int, rows: Int, keys: Int) throws {
        filter = attributes.float("mask_filter_value", otherwise: -10000)
        (self.batch, self.keys) = (batch, keys)
        let misfit = ExecutionError.shape(
            "a mask of \(fact.type) \(fact.shape) for \(batch) images, \(rows)×\(keys) scores")
        guard fact.type == .int32 else { throw misfit }
        var first = 0
        switch fact.shape.count {
        case 1 where fact.shape[0] == batch || fact.shape[0] == 3 * batch + 2: form = .lengths
        case 1 where fact.shape[0] == 2 * batch: form = .ends
        case 2 where fact.shape == [batch, keys]: form = .elements(imageStep: keys, rowStep: 0)
        case 3 where fact.shape == [batch, rows, keys]: form = .elements(imageStep: rows * keys, rowStep: keys)
        case 4 where fact.shape[0] == batch && fact.shape[1] == 1 && fact.shape[2] >= keys && fact.shape[3] >= keys:
            form = .elements(imageStep: fact.shape[2] * fact.shape[3], rowStep: fact.shape[3])
            first = keys - rows
        default: throw misfit
        }
        firstRow = first
    }

    @unsafe func add(_ mask: UnsafePointer<Int32>, to scores: UnsafeMutablePointer<Float>, image: Int, rows: Range<Int>)
    {
        for (index, row) in rows.enumerated() {
            let to = unsafe scores + index * keys
            switch form {
            case .lengths:
                let end = unsafe min(max(0, Int(mask[image])), keys)
                for key in end..<keys { unsafe to[key] += filter }
            case .ends:
                let end = unsafe min(max(0, Int(mask[image])), keys)
                let start = unsafe min(max(0, Int(mask[batch + image])), keys)
                for key in 0..<keys where key < start || key >= end { unsafe to[key] += filter }
            case .elements(let imageStep, let rowStep):
                let from = unsafe mask + image * imageStep + (firstRow + row) * rowStep
                for key in 0..<keys where unsafe from[key] <= 0 { unsafe to[key] += filter }
            }
        }
    }
}
