internal import ConverterKit
internal import Glibc

/// LRN: `Y = X / (bias + α / size · Σ X²)^β`, the sum over `size` channels around each.
enum LocalResponseOperators {
    static let all = [lrn]

    static let lrn = Operator("LRN") { preparation in
        let fact = try preparation.fact(0)
        let attributes = preparation.attributes
        guard fact.shape.count >= 2, let size = attributes.int("size"), size > 0 else {
            throw ExecutionError.shape("LRN of \(fact.shape)")
        }
        let (channels, plane) = (fact.shape[1], fact.shape[2...].reduce(1, *))
        let alpha = Double(attributes.float("alpha", otherwise: 1e-4)) / Double(size)
        let beta = Double(attributes.float("beta", otherwise: 0.75))
        let bias = Double(attributes.float("bias", otherwise: 1))
        let before = min(channels, (size - 1) / 2)
        let after = min(channels, size - 1 - (size - 1) / 2)
        func make<T: RealElement>(_: T.Type) -> Kernel {
            { arguments in
                let (x, y) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
                arguments.pool.split(fact.shape[0] * channels, grain: max(1, (1 << 12) / max(1, plane))) { range in
                    for index in range {
                        let channel = index % channels
                        let (low, high) = (max(0, channel - before), min(channels - 1, channel + after))
                        let to = unsafe y + index * plane
                        unsafe to.update(repeating: 0, count: plane)
                        for other in low...high {
                            unsafe addSquares(of: x + (index - channel + other) * plane, to: to, plane)
                        }
                        let from = unsafe x + index * plane
                        for place in 0..<plane {
                            let base = unsafe bias + alpha * Double(to[place])
                            let divisor = beta == 0.75 ? (base * base.squareRoot()).squareRoot() : pow(base, beta)
                            unsafe to[place] = T(Double(from[place]) / divisor)
                        }
                    }
                }
            }
        }
        return Prepared([fact], kernel: make(try fact.realElement("LRN")))
    }

    @specialized(where T == Float)
    private static func addSquares<T: RealElement>(of x: UnsafePointer<T>, to y: UnsafeMutablePointer<T>, _ count: Int)
    {
        for index in 0..<count { unsafe y[index] += x[index] * x[index] }
    }
}
