internal import ConverterKit

/// ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd, ReduceL1, ReduceL2, ReduceLogSum, ReduceLogSumExp and
/// ReduceSumSquare. Axes are an attribute or, from version 13 or 18 on, input 1; without axes all are reduced, or none
/// with `noop_with_empty_axes`.
enum ReductionOperators {
    static let all = [
        reduction("ReduceSum", .sum), reduction("ReduceMean", .mean), reduction("ReduceMax", .maximum),
        reduction("ReduceMin", .minimum), reduction("ReduceProd", .product), reduction("ReduceL1", .l1),
        reduction("ReduceL2", .l2), reduction("ReduceLogSum", .logSum), reduction("ReduceLogSumExp", .logSumExp),
        reduction("ReduceSumSquare", .sumOfSquares), ReductionGradients.expandShare, ReductionGradients.product,
    ]

    private static func reduction(_ name: String, _ reduction: Reduction) -> Operator {
        Operator(name, gradient: ReductionGradients.rule(reduction)) { preparation in
            let fact = try preparation.fact(0)
            let (storage, element) = try preparation.storage(fact.type)
            let isExtreme = reduction == .maximum || reduction == .minimum
            guard fact.type != .bool || isExtreme else { throw preparation.unsuitable(fact.type) }
            let axes = try axes(
                preparation.integers("axes", orInput: 1), preparation.attributes, rank: fact.shape.count)
            let loops = try ReductionLoops(fact.shape, axes: axes)
            let keeps = preparation.attributes.flag("keepdims", otherwise: true)
            let made = ReductionKernel.make(reduction, loops, storage, element)
            return Prepared(
                [TensorFact(type: fact.type, shape: keeps ? loops.keptShape : loops.squeezedShape)],
                scratch: made.scratch, kernel: made.kernel)
        }
    }

    /// The axes to reduce, from what a node states.
    static func axes(_ stated: [Int]?, _ attributes: AttributeList, rank: Int) throws -> [Int] {
        if let stated, !stated.isEmpty {
            // A scalar has one axis of one element here, as elsewhere.
            let axes = try Axes.normalized(stated, rank: rank)
            return rank == 0 ? [] : axes
        }
        return attributes.flag("noop_with_empty_axes") ? [] : Array(0..<rank)
    }
}
