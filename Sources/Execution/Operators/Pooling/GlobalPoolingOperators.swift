internal import ConverterKit
internal import Glibc

/// One number for each channel of each image: the mean, the maximum or the p-norm of its pixels.
enum GlobalPoolingOperators {
    static let all = [average, maximum, norm]

    static let average = Operator("GlobalAveragePool", gradient: averageGradient) { preparation in
        try pooling(preparation) { _, count in { sum in sum / Double(max(1, count)) } }
    }

    static let norm = Operator("GlobalLpPool") { preparation in
        let power = Double(preparation.attributes.int("p", otherwise: 2))
        return try pooling(preparation, power: power) { _, _ in { sum in pow(sum, 1 / power) } }
    }

    /// Of `Σ x`, or of `Σ |x|ᵖ` where a power is given.
    private static func pooling(
        _ preparation: Preparation, power: Double? = nil, _ finish: (Preparation, Int) -> (Double) -> Double
    ) throws -> Prepared {
        let (fact, planes, plane) = try geometry(preparation)
        let finished = finish(preparation, plane)
        func make<T: RealElement>(_: T.Type) -> Kernel {
            { arguments in
                let (x, y) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
                arguments.pool.split(planes, grain: max(1, (1 << 14) / max(1, plane))) { range in
                    for index in range {
                        let from = unsafe x + index * plane
                        var sum = 0.0
                        if let power {
                            for place in 0..<plane { sum += unsafe pow(abs(Double(from[place])), power) }
                        } else {
                            sum = unsafe Self.sum(from, plane)
                        }
                        unsafe y[index] = T(finished(sum))
                    }
                }
            }
        }
        return Prepared([fact], kernel: make(try fact.realElement(preparation.operation)))
    }

    @specialized(where T == Float)
    private static func sum<T: RealElement>(_ x: UnsafePointer<T>, _ count: Int) -> Double {
        var sum = 0.0
        for index in 0..<count { sum += unsafe Double(x[index]) }
        return sum
    }

    static let maximum = Operator("GlobalMaxPool", gradient: maximumGradient) { preparation in
        let (fact, planes, plane) = try geometry(preparation)
        func make<T: Element>(_: T.Type) -> Kernel {
            { arguments in
                let (x, y) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
                arguments.pool.split(planes, grain: max(1, (1 << 14) / max(1, plane))) { range in
                    for index in range {
                        let from = unsafe x + index * plane
                        var largest = T(clamping: -.infinity)
                        for place in 0..<plane { largest = unsafe max(largest, from[place]) }
                        unsafe y[index] = largest
                    }
                }
            }
        }
        return Prepared([fact], kernel: make(try fact.numericElement("GlobalMaxPool")))
    }

    private static func geometry(_ preparation: Preparation) throws -> (TensorFact, planes: Int, plane: Int) {
        let fact = try preparation.fact(0)
        guard fact.shape.count >= 2 else {
            throw ExecutionError.shape("\(preparation.operation) of \(fact.shape)")
        }
        let ones = [Int](repeating: 1, count: fact.shape.count - 2)
        return (
            TensorFact(type: fact.type, shape: Array(fact.shape[..<2]) + ones), fact.shape[0] * fact.shape[1],
            fact.shape[2...].reduce(1, *)
        )
    }

    private static let averageGradient: GradientRule = { context in
        let shape = try context.shape(context.input(0))
        let plane = shape.dropFirst(2).reduce(1, *)
        return [try context.expand(context.scale(context.gradient(), by: 1 / Double(max(1, plane))), shape)]
    }

    private static let maximumGradient: GradientRule = { context in
        let x = try context.input(0)
        let kernel = Array(try context.shape(x).dropFirst(2))
        if kernel.isEmpty { return [try context.gradient()] }
        return [
            try context.emit(
                "MaxPoolGradient", domain: "rene", [context.gradient(), x], ["kernel_shape": kernel])
        ]
    }
}
