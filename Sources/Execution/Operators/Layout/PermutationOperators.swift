internal import ConverterKit

/// Operators that put axes, or parts of axes, in another order.
enum PermutationOperators {
    static let all = [transpose, depthToSpace, spaceToDepth]

    /// `Y = X` with axis `a` of `Y` being axis `perm[a]` of `X`; reversed by default.
    static let transpose = Operator(
        "Transpose",
        gradient: { context in
            let permutation = try permutation(
                context.attributes, rank: context.shape(context.input(0)).count)
            var inverse = permutation
            for (to, from) in permutation.enumerated() { inverse[from] = to }
            return [try context.transpose(context.gradient(), inverse)]
        },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            let permutation = try permutation(preparation.attributes, rank: fact.shape.count)
            return try rearranged(fact, parts: fact.shape, permutation, to: permutation.map { fact.shape[$0] })
        })

    private static func permutation(_ attributes: AttributeList, rank: Int) throws -> [Int] {
        let stated = attributes.ints("perm") ?? Array((0..<rank).reversed())
        let permutation = stated.map { $0 < 0 ? $0 &+ rank : $0 }
        guard permutation.sorted() == Array(0..<rank) else {
            throw ExecutionError.attribute("\(stated) is no order of \(rank) axes")
        }
        return permutation
    }

    /// `[N, b·b·C, H, W]` to `[N, C, H·b, W·b]`; the block's axes come before the channels (DCR) or behind them (CRD).
    static let depthToSpace = Operator(
        "DepthToSpace", gradient: { try backwards($0, depthParts) }, prepare: { try prepare($0, depthParts) })

    /// `[N, C, H·b, W·b]` to `[N, b·b·C, H, W]`.
    static let spaceToDepth = Operator(
        "SpaceToDepth", gradient: { try backwards($0, spaceParts) }, prepare: { try prepare($0, spaceParts) })

    /// The input's axes divided, the order of the parts, and the output's extents.
    private typealias Parts = (extents: [Int], permutation: [Int], shape: [Int])

    private static func block(_ attributes: AttributeList, _ shape: [Int]) throws -> Int {
        let block = attributes.int("blocksize", otherwise: 0)
        guard shape.count == 4 else { throw ExecutionError.shape("blocks of a tensor of shape \(shape)") }
        guard block > 0, block < 1 << 20 else { throw ExecutionError.attribute("a block of \(block)") }
        return block
    }

    private static func depthParts(_ attributes: AttributeList, _ shape: [Int]) throws -> Parts {
        let b = try block(attributes, shape)
        let (n, c, h, w) = (shape[0], shape[1], shape[2], shape[3])
        guard c % (b * b) == 0 else { throw ExecutionError.shape("\(c) channels are no blocks of \(b)×\(b)") }
        let result = [n, c / (b * b), h * b, w * b]
        _ = try result.elementCount()
        return attributes.string("mode") == "CRD"
            ? ([n, c / (b * b), b, b, h, w], [0, 1, 4, 2, 5, 3], result)
            : ([n, b, b, c / (b * b), h, w], [0, 3, 4, 1, 5, 2], result)
    }

    private static func spaceParts(_ attributes: AttributeList, _ shape: [Int]) throws -> Parts {
        let b = try block(attributes, shape)
        let (n, c, h, w) = (shape[0], shape[1], shape[2], shape[3])
        guard h % b == 0, w % b == 0 else { throw ExecutionError.shape("\(h)×\(w) is not divided by \(b)") }
        return ([n, c, h / b, b, w / b, b], [0, 3, 5, 1, 2, 4], [n, c * b * b, h / b, w / b])
    }

    private static func prepare(
        _ preparation: Preparation, _ parts: (AttributeList, [Int]) throws -> Parts
    ) throws -> Prepared {
        let fact = try preparation.fact(0)
        let (extents, permutation, shape) = try parts(preparation.attributes, fact.shape)
        return try rearranged(fact, parts: extents, permutation, to: shape)
    }

    private static func backwards(
        _ context: GradientContext, _ parts: (AttributeList, [Int]) throws -> Parts
    ) throws -> [ValueID?] {
        let shape = try context.shape(context.input(0))
        let (extents, permutation, _) = try parts(context.attributes, shape)
        var inverse = permutation
        for (to, from) in permutation.enumerated() { inverse[from] = to }
        let divided = try context.reshape(context.gradient(), permutation.map { extents[$0] })
        return [try context.reshape(context.transpose(divided, inverse), shape)]
    }

    /// A view where only axes of one index change their places.
    private static func rearranged(_ fact: TensorFact, parts: [Int], _ permutation: [Int], to shape: [Int]) throws
        -> Prepared
    {
        let result = TensorFact(type: fact.type, shape: shape)
        let moving = permutation.filter { parts[$0] != 1 }
        if moving == moving.sorted() { return .view(result) }
        let copy = StridedCopy(permuting: parts, by: permutation, elementSize: try fact.elementSize())
        return Prepared([result]) { arguments in
            unsafe copy.run(from: arguments.bytes(of: 0), to: arguments.outputBytes(), pool: arguments.pool)
        }
    }
}
