internal import ConverterKit

/// Normalisations of a sum with a residual, of com.microsoft: outputs Y, the mean and the inverse deviation of each row
/// (where there are such), and the sum.
enum SkipNormalizationOperators {
    static let all = [
        make("SkipLayerNormalization", isCentred: true), make("SkipSimplifiedLayerNormalization", isCentred: false),
    ]

    /// Inputs: X, the residual (of X's extents, or without the batch axis), scale, bias of the normalisation (only when
    /// centred), bias of the sum.
    private static func make(_ name: String, isCentred: Bool) -> Operator {
        Operator(name, domain: "com.microsoft") { preparation in
            let (fact, skip, scale) = (try preparation.fact(0), try preparation.fact(1), try preparation.fact(2))
            let count = fact.shape.last ?? 0
            let addend = isCentred ? 4 : 3
            for index in 2...addend where preparation.isStated(index) {
                guard try preparation.fact(index).shape == [count] else {
                    throw ExecutionError.shape("\(name) of \(fact.shape) with \(try preparation.shape(index))")
                }
            }
            let trailing = skip.shape.drop { $0 == 1 }
            guard fact.type.storage == .float, skip.type.storage == .float, scale.type.storage == .float, count > 0,
                trailing == fact.shape.suffix(trailing.count)[...], skip.count > 0 || fact.count == 0
            else { throw ExecutionError.shape("\(name) of \(fact.type) \(fact.shape) and \(skip.type) \(skip.shape)") }
            let rows = RowNormalization(
                rows: fact.count / count, count: count, isCentred: isCentred,
                epsilon: Double(preparation.attributes.float("epsilon", otherwise: 1e-12)))
            let skipCount = max(1, skip.count)
            let statistics = TensorFact(type: .float32, shape: fact.shape.dropLast() + [1])
            return Prepared([fact, statistics, statistics, fact]) { arguments in
                let (x, skip) = unsafe (arguments.input(0, Float.self), arguments.input(1, Float.self))
                let scale = unsafe arguments.input(2, Float.self)
                let bias = unsafe isCentred ? arguments.optionalInput(3, Float.self) : nil
                let shift = unsafe arguments.optionalInput(addend, Float.self)
                let (y, sum) = unsafe (arguments.output(0, Float.self), arguments.output(3, Float.self))
                let (mean, inverse) = unsafe (arguments.output(1, Float.self), arguments.output(2, Float.self))
                arguments.pool.split(rows.rows, grain: rows.grain) { range in
                    for row in range {
                        let start = row * count
                        let other = unsafe skip + start % skipCount
                        for index in 0..<count {
                            unsafe sum[start + index] = x[start + index] + other[index] + (shift?[index] ?? 0)
                        }
                    }
                    unsafe rows.run(
                        UnsafePointer(sum), scale: scale, bias: bias, into: y, mean: isCentred ? mean : nil,
                        inverse: inverse, rows: range)
                }
            }
        }
    }
}
