internal import ConverterKit
internal import Glibc

/// LpNormalization and MeanVarianceNormalization, in double precision over each set of elements.
enum NormalizationOperators {
    static let all = [lpNormalization, meanVarianceNormalization]

    /// x / ‖x‖ along an axis, of p = 1 or 2; 0 where the norm is.
    static let lpNormalization = Operator("LpNormalization", gradient: lpGradient) { preparation in
        let fact = try preparation.fact(0)
        let element = try preparation.storage(fact.type).element
        guard fact.type.isFloating else { throw preparation.unsuitable(fact.type) }
        let p = preparation.attributes.int("p", otherwise: 2)
        guard p == 1 || p == 2 else { throw ExecutionError.attribute("LpNormalization with p = \(p)") }
        let axis = try preparation.axis(preparation.attributes.int("axis", otherwise: -1), rank: fact.shape.count)
        let loops = try ReductionLoops(fact.shape, axes: fact.shape.isEmpty ? [] : [axis])
        func make<T: Element>(_: T.Type) -> Kernel {
            { arguments in
                let x = unsafe arguments.input(0, T.self)
                let y = unsafe arguments.output(0, T.self)
                ReductionKernel.forEachResult(loops, arguments.pool) { _, elements in
                    var sum = 0.0
                    elements { index in
                        let value = unsafe x[index].asDouble
                        sum += p == 1 ? value.magnitude : value * value
                    }
                    let norm = p == 1 ? sum : sum.squareRoot()
                    elements { unsafe y[$0] = norm == 0 ? T.zero : T(clamping: x[$0].asDouble / norm) }
                }
            }
        }
        return Prepared([fact], kernel: make(element))
    }

    /// With the norm n: (dy − s·Σ dy·y)/n, where s is y for p = 2 and sign x for p = 1.
    private static let lpGradient: GradientRule = { context in
        let (x, y, dy) = (try context.input(0), try context.output(), try context.gradient())
        let p = context.attributes.int("p", otherwise: 2)
        let rank = try context.shape(x).count
        let axis = try Axes.normalized(context.attributes.int("axis", otherwise: -1), rank: rank)
        let axes = try context.program.constant([axis])
        let norm = try context.emit(p == 1 ? "ReduceL1" : "ReduceL2", [x, axes])
        let isZero = try context.emit("Equal", [norm, context.program.scalar(0, like: x)])
        let safe = try context.emit("Where", [isZero, context.program.scalar(1, like: x), norm])
        let sum = try context.reduceSum(context.multiply(dy, y), axes: [axis])
        let direction = p == 1 ? try context.emit("Sign", [x]) : y
        return [try context.divide(context.subtract(dy, context.multiply(direction, sum)), safe)]
    }

    /// (x − mean) / (σ + 10⁻⁹) over the axes, [0, 2, 3] by default.
    static let meanVarianceNormalization = Operator("MeanVarianceNormalization", gradient: momentGradient) {
        preparation in
        let fact = try preparation.fact(0)
        let element = try preparation.storage(fact.type).element
        guard fact.type.isFloating else { throw preparation.unsuitable(fact.type) }
        let loops = try ReductionLoops(fact.shape, axes: axes(preparation.attributes, rank: fact.shape.count))
        func make<T: Element>(_: T.Type) -> Kernel {
            { arguments in
                let x = unsafe arguments.input(0, T.self)
                let y = unsafe arguments.output(0, T.self)
                ReductionKernel.forEachResult(loops, arguments.pool) { _, elements in
                    var sum = 0.0
                    elements { sum += unsafe x[$0].asDouble }
                    let mean = sum / Double(loops.reduced)
                    var squares = 0.0
                    elements { index in
                        let difference = unsafe x[index].asDouble - mean
                        squares += difference * difference
                    }
                    let deviation = (squares / Double(loops.reduced)).squareRoot() + epsilon
                    elements { unsafe y[$0] = T(clamping: (x[$0].asDouble - mean) / deviation) }
                }
            }
        }
        return Prepared([fact], kernel: make(element))
    }

    private static let epsilon = 1e-9

    private static func axes(_ attributes: AttributeList, rank: Int) throws -> [Int] {
        let across = attributes.int("across_channels").map { $0 != 0 }
        if let across, attributes.ints("axes") == nil { return (0..<rank).filter { across || $0 != 1 } }
        return try Axes.normalized(attributes.ints("axes") ?? [0, 2, 3], rank: rank)
    }

    /// (dy − mean(dy) − y·mean(dy·y)) / σ.
    private static let momentGradient: GradientRule = { context in
        let (x, y, dy) = (try context.input(0), try context.output(), try context.gradient())
        let axes = try axes(context.attributes, rank: context.shape(x).count)
        let stated = try context.program.constant(axes)
        func mean(_ value: ValueID) throws -> ValueID { try context.emit("ReduceMean", [value, stated]) }
        let centred = try context.subtract(x, mean(x))
        let variance = try mean(context.multiply(centred, centred))
        let deviation = try context.add(
            context.emit("Sqrt", [variance]), context.program.scalar(epsilon, like: x))
        let rest = try context.subtract(
            context.subtract(dy, mean(dy)), context.multiply(y, mean(context.multiply(dy, y))))
        return [try context.divide(rest, deviation)]
    }
}
