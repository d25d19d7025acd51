internal import CKernels
internal import ConverterKit
internal import Glibc

/// Rows of one tensor by image and head: `[batch, heads, rows, width]` in whatever order they lie, each row without gaps.
struct HeadLayout: Sendable {
    var rows: Int
    var width: Int
    /// Elements from one image, head and row to the next.
    var batchStep: Int
    var headStep: Int
    var rowStep: Int

    /// `[batch, heads, rows, width]`.
    static func byHead(_ heads: Int, _ rows: Int, _ width: Int) -> Self {
        Self(rows: rows, width: width, batchStep: heads * rows * width, headStep: rows * width, rowStep: width)
    }

    /// `[batch, rows, heads · width]`, as a part of rows of `rowStep` elements.
    static func byRow(_ heads: Int, _ rows: Int, _ width: Int, rowStep: Int? = nil) -> Self {
        let step = rowStep ?? heads * width
        return Self(rows: rows, width: width, batchStep: rows * step, headStep: width, rowStep: step)
    }

    func offset(_ batch: Int, _ head: Int) -> Int { batch * batchStep + head * headStep }
}

/// Scaled dot-product attention (Vaswani et al., arXiv 1706.03762) with heads of keys that several heads of queries may
/// share: `Y = softmax(cap(s · Q · Kᵀ) + bias) · V`. Single precision; spread over threads by images, heads and runs of rows.
struct ScaledAttention: Sendable {
    let batch: Int
    let heads: Int
    let keyHeads: Int
    let scale: Double
    /// 0 for none.
    var softcap: Float = 0
    let queries: HeadLayout
    let keys: HeadLayout
    let values: HeadLayout
    let output: HeadLayout
    private let full: Products
    private let rest: Products

    /// What of the scores is wanted, in the order in which it is computed.
    enum Stage: Int { case product, capped, biased, probabilities }

    private struct Products: Sendable {
        var scores: MatrixProduct
        var results: MatrixProduct
    }

    /// Rows of queries at a time.
    private static let block = 64

    init(
        batch: Int, heads: Int, keyHeads: Int, scale: Double, softcap: Float = 0, queries: HeadLayout,
        keys: HeadLayout, values: HeadLayout, output: HeadLayout
    ) throws {
        guard heads > 0, keyHeads > 0, heads % keyHeads == 0, queries.width == keys.width, keys.rows == values.rows,
            output.width == values.width, output.rows == queries.rows
        else { throw ExecutionError.shape("attention of \(heads) heads over \(keyHeads)") }
        (self.batch, self.heads, self.keyHeads, self.scale, self.softcap) = (batch, heads, keyHeads, scale, softcap)
        (self.queries, self.keys, self.values, self.output) = (queries, keys, values, output)
        func products(_ rows: Int) throws -> Products {
            Products(
                scores: try MatrixProduct(
                    m: rows, n: keys.rows, k: queries.width, transposesB: true, lda: queries.rowStep,
                    ldb: keys.rowStep, alpha: scale),
                results: try MatrixProduct(
                    m: rows, n: values.width, k: keys.rows, ldb: values.rowStep, ldc: output.rowStep))
        }
        full = try products(min(Self.block, queries.rows))
        rest = try products(queries.rows % Self.block)
    }

    private var blockRows: Int { min(Self.block, queries.rows) }

    func scratchBytes(threads: Int) -> Int { threads * Arena.rounded(blockRows * keys.rows * 4) }

    var macs: Int { batch * heads * queries.rows * keys.rows * (queries.width + values.width) }

    /// - Parameters:
    ///   - adjust: Adds the bias to the scores of some rows of a head: scores, image, head and rows.
    ///   - shown: Where the scores at a stage go, `[batch, heads, rows, keys]`.
    @unsafe func run(
        _ q: UnsafePointer<Float>, _ k: UnsafePointer<Float>, _ v: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, pool: ThreadPool,
        shown: (stage: Stage, place: UnsafeMutablePointer<Float>)? = nil,
        adjust: (UnsafeMutablePointer<Float>, Int, Int, Range<Int>) -> Void
    ) {
        let blocks = (queries.rows + Self.block - 1) / Self.block
        let width = keys.rows
        let step = Arena.rounded(blockRows * width * 4) / 4
        MatrixProduct.whileSingleThreaded {
            pool.run { part, parts in
                let scores = unsafe scratch + part * step
                let items = batch * heads * blocks
                for item in items * part / parts..<items * (part + 1) / parts {
                    let (pair, index) = item.quotientAndRemainder(dividingBy: blocks)
                    let (image, head) = pair.quotientAndRemainder(dividingBy: heads)
                    let keyHead = head / (heads / keyHeads)
                    let rows = index * Self.block..<min(queries.rows, (index + 1) * Self.block)
                    let products = rows.count == blockRows ? full : rest
                    let count = rows.count * width
                    func show(_ stage: Stage) {
                        guard let shown = unsafe shown, unsafe shown.stage == stage else { return }
                        unsafe (shown.place + (pair * queries.rows + rows.lowerBound) * width).update(
                            from: scores, count: count)
                    }
                    unsafe products.scores.run(
                        q + queries.offset(image, head) + rows.lowerBound * queries.rowStep,
                        k + keys.offset(image, keyHead), into: scores)
                    show(.product)
                    if softcap > 0 {
                        for place in 0..<count { unsafe scores[place] = softcap * tanhf(scores[place] / softcap) }
                    }
                    show(.capped)
                    unsafe adjust(scores, image, head, rows)
                    show(.biased)
                    for row in 0..<rows.count { unsafe softmax(scores + row * width, width) }
                    show(.probabilities)
                    unsafe products.results.run(
                        UnsafePointer(scores), v + values.offset(image, keyHead),
                        into: y + output.offset(image, head) + rows.lowerBound * output.rowStep)
                }
            }
        }
    }

    /// In place; a row of which nothing may be attended to becomes zero.
    @unsafe private func softmax(_ row: UnsafeMutablePointer<Float>, _ count: Int) {
        if unsafe rene_max_of(row, count) == -.infinity {
            unsafe row.update(repeating: 0, count: count)
        } else {
            unsafe rene_softmax(row, row, 1, count)
        }
    }
}

/// A tensor that is added to the scores, broadcast to `[batch, heads, rows, keys]`; keys beyond its last are not attended
/// to. Of `bool`, what is false is not attended to.
struct AttentionBias: Sendable {
    let isMask: Bool
    private let steps: [Int]
    private let width: Int
    private let isWide: Bool

    init(_ fact: TensorFact, batch: Int, heads: Int, rows: Int, keys: Int) throws {
        let shape = [Int](repeating: 1, count: max(0, 4 - fact.shape.count)) + fact.shape
        isMask = fact.type == .bool
        width = shape[shape.count - 1]
        guard shape.count == 4, isMask || fact.type.storage == .float, width <= keys,
            zip(shape, [batch, heads, rows]).allSatisfy({ $0 == 1 || $0 == $1 })
        else {
            throw ExecutionError.shape(
                "a mask of \(fact.type) \(fact.shape) for \(batch) images, \(heads) heads, \(rows)×\(keys) scores")
        }
        let strides = shape.rowMajorStrides
        steps = (0..<3).map { shape[$0] == 1 ? 0 : strides[$0] }
        isWide = width > 1 || keys == 1
    }

    @unsafe func add(
        _ bias: UnsafeRawPointer, to scores: UnsafeMutablePointer<Float>, image: Int, head: Int, rows: Range<Int>,
        keys: Int
    ) {
        for (index, row) in rows.enumerated() {
            let start = image * steps[0] + head * steps[1] + row * steps[2]
            let to = unsafe scores + index * keys
            let count = isWide ? width : keys
            let step = isWide ? 1 : 0
            if isMask {
                let from = unsafe bias.assumingMemoryBound(to: UInt8.self) + start
                for key in 0..<count where unsafe from[key * step] == 0 { unsafe to[key] = -.infinity }
            } else {
                let from = unsafe bias.assumingMemoryBound(to: Float.self) + start
                for key in 0..<count { unsafe to[key] += from[key * step] }
            }
            for key in count..<keys { unsafe to[key] = -.infinity }
        }
    }

    /// Leaves to each row the keys up to its own, which lies `offset` behind the first one.
    @unsafe static func applyCausality(
        _ scores: UnsafeMutablePointer<Float>, rows: Range<Int>, keys: Int, offset: Int
    ) {
        for (index, row) in rows.enumerated() {
            for key in min(max(0, row + offset + 1), keys)..<keys { unsafe scores[index * keys + key] = -.infinity }
        }
    }
}
