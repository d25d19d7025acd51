internal import ConverterKit

/// Softmax, LogSoftmax and Hardmax: along one axis from version 13 on (the last by default); before that over all axes
/// from `axis` (1 by default) on.
enum SoftmaxOperators {
    static let all =
        softmax("Softmax", isLogarithmic: false) + softmax("LogSoftmax", isLogarithmic: true) + [hardmax]

    /// [outer, n, inner] of which the middle axis is normalised.
    private static func extents(_ shape: [Int], _ attributes: AttributeList, version: Int) throws -> (Int, Int, Int) {
        let axis = attributes.int("axis", otherwise: version < 13 ? 1 : -1)
        let rank = shape.count
        if version < 13 {
            let split = axis < 0 ? axis + rank : axis
            guard split >= 0, split <= rank else { throw ExecutionError.attribute("Softmax from axis \(axis) on") }
            return (shape[..<split].reduce(1, *), shape[split...].reduce(1, *), 1)
        }
        let place = try Axes.normalized(axis, rank: rank)
        if rank == 0 { return (1, 1, 1) }
        return (shape[..<place].reduce(1, *), shape[place], shape[(place + 1)...].reduce(1, *))
    }

    private static func softmax(_ name: String, isLogarithmic: Bool) -> [Operator] {
        @Sendable func kernel(_ preparation: Preparation, _ shape: [Int], version: Int) throws -> SoftmaxKernel {
            let (outer, n, inner) = try extents(shape, preparation.attributes, version: version)
            return SoftmaxKernel(
                outer: outer, n: n, inner: inner, isLogarithmic: isLogarithmic, threads: preparation.threads)
        }
        let forward = Operator(
            name,
            gradient: { context in
                var attributes = context.attributes
                attributes.set("version", context.version)
                return [
                    try context.emit(
                        "\(name)Gradient", domain: "rene", [context.gradient(), context.output()], attributes)
                ]
            },
            prepare: { preparation in
                let fact = try preparation.fact(0)
                guard fact.type.isFloating else { throw preparation.unsuitable(fact.type) }
                let kernel = try kernel(preparation, fact.shape, version: preparation.version)
                return Prepared(
                    [fact], scratch: kernel.scratch, overwritable: [0],
                    kernel: fact.type.storage == .float ? kernel.floats : kernel.doubles)
            })
        // Of (dy, y), and the version whose axes are meant.
        let backward = Operator("\(name)Gradient", domain: "rene") { preparation in
            let fact = try preparation.fact(1)
            guard try preparation.fact(0) == fact, fact.type.isFloating else { throw preparation.unsuitable(fact.type) }
            let version = preparation.attributes.int("version", otherwise: preparation.version)
            let kernel = try kernel(preparation, fact.shape, version: version)
            return Prepared(
                [fact], scratch: kernel.scratch, overwritable: [0, 1],
                kernel: fact.type.storage == .float ? kernel.floatGradient : kernel.doubleGradient)
        }
        return [forward, backward]
    }

    /// 1 at the first of the largest elements, else 0.
    private static let hardmax = Operator(
        "Hardmax", gradient: { _ in [nil] },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            let element = try preparation.storage(fact.type).element
            let (outer, n, inner) = try extents(fact.shape, preparation.attributes, version: preparation.version)
            func make<T: Element>(_: T.Type) -> Kernel {
                { arguments in
                    let x = unsafe arguments.input(0, T.self)
                    let y = unsafe arguments.output(0, T.self)
                    if n == 0 { return }
                    for row in 0..<outer * inner {
                        let start = row / inner * n * inner + row % inner
                        var best = start
                        for place in stride(from: start, to: start + n * inner, by: inner) {
                            if unsafe x[place] > x[best] { best = place }
                            unsafe y[place] = T.zero
                        }
                        unsafe y[best] = T(clamping: 1)
                    }
                }
            }
            return Prepared([fact], kernel: make(element))
        })
}
