internal import ConverterKit

/// Determinants.
enum DeterminantOperators {
    static let all = [determinant]

    /// `det X` of each square matrix, by elimination with the largest pivot, in double precision.
    static let determinant = Operator("Det") { preparation in
        let fact = try preparation.fact(0)
        guard fact.shape.count >= 2, let n = fact.shape.last, fact.shape[fact.shape.count - 2] == n else {
            throw ExecutionError.shape("Det of shape \(fact.shape)")
        }
        let result = TensorFact(type: fact.type, shape: fact.shape.dropLast(2))
        func make<T: Element>(_: T.Type) -> Prepared {
            Prepared([result], scratch: n * n * 8) { arguments in
                let (from, to) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
                let work = unsafe arguments.scratch(Double.self)
                for matrix in 0..<result.count {
                    for index in 0..<n * n { unsafe work[index] = from[matrix * n * n + index].asDouble }
                    unsafe to[matrix] = T(clamping: eliminate(work, n))
                }
            }
        }
        guard let element = fact.type.storage?.element, fact.type.isFloating else {
            throw ExecutionError.type("Det of \(fact.type)")
        }
        return make(element)
    }

    @unsafe private static func eliminate(_ a: UnsafeMutablePointer<Double>, _ n: Int) -> Double {
        var product = 1.0
        for column in 0..<n {
            var pivot = column
            for row in column..<n where unsafe abs(a[row * n + column]) > abs(a[pivot * n + column]) { pivot = row }
            let largest = unsafe a[pivot * n + column]
            if largest == 0 { return 0 }
            if pivot != column {
                product = -product
                for k in 0..<n { unsafe swap(&a[pivot * n + k], &a[column * n + k]) }
            }
            product *= largest
            for row in column + 1..<max(n, column + 1) {
                let factor = unsafe a[row * n + column] / largest
                if factor == 0 { continue }
                for k in column..<n { unsafe a[row * n + k] -= factor * a[column * n + k] }
            }
        }
        return product
    }
}
