internal import ConverterKit
internal import Glibc

/// What a recurrent cell applies to a gate.
struct GateActivation: Sendable {
    enum Function: String, Sendable {
        case relu, tanh, sigmoid, affine, leakyrelu, thresholdedrelu, scaledtanh, hardsigmoid, elu, softsign, softplus

        /// Defaults of alpha and beta; `nil` where the function has none.
        var defaults: (alpha: Float?, beta: Float?) {
            switch self {
            case .relu, .tanh, .sigmoid, .softsign, .softplus: (nil, nil)
            case .affine: (1, 0)
            case .leakyrelu: (0.01, nil)
            case .thresholdedrelu, .elu: (1, nil)
            case .scaledtanh: (1, 1)
            case .hardsigmoid: (0.2, 0.5)
            }
        }
    }

    var function: Function
    var alpha: Float
    var beta: Float

    /// Those of a node, `standard` for each direction where it states none. The values of alpha and beta go to the
    /// functions that have such, in their order.
    static func all(_ attributes: AttributeList, standard: [String], directions: Int) throws -> [[GateActivation]] {
        let names = attributes.strings("activations") ?? Array(repeating: standard, count: directions).flatMap { $0 }
        guard names.count == standard.count * directions else {
            throw ExecutionError.attribute("\(names.count) activations for \(directions) × \(standard.count) gates")
        }
        var alphas = (attributes.floats("activation_alpha") ?? [])[...]
        var betas = (attributes.floats("activation_beta") ?? [])[...]
        let all = try names.map { name in
            guard let function = Function(rawValue: name.lowercased()) else {
                throw ExecutionError.unsupported("the activation \(name) of a recurrent cell is not executed")
            }
            let (alpha, beta) = function.defaults
            return GateActivation(
                function: function, alpha: alpha.map { alphas.popFirst() ?? $0 } ?? 0,
                beta: beta.map { betas.popFirst() ?? $0 } ?? 0)
        }
        return (0..<directions).map { Array(all[$0 * standard.count..<($0 + 1) * standard.count]) }
    }

    /// In place.
    @unsafe func apply(_ x: UnsafeMutablePointer<Float>, _ count: Int) {
        switch function {
        case .sigmoid: unsafe Self.map(x, count) { 1 / (1 + expf(-$0)) }
        case .tanh: unsafe Self.map(x, count) { tanhf($0) }
        case .relu: unsafe Self.map(x, count) { max($0, 0) }
        case .affine: unsafe Self.map(x, count) { alpha * $0 + beta }
        case .leakyrelu: unsafe Self.map(x, count) { $0 < 0 ? alpha * $0 : $0 }
        case .thresholdedrelu: unsafe Self.map(x, count) { $0 > alpha ? $0 : 0 }
        case .scaledtanh: unsafe Self.map(x, count) { alpha * tanhf(beta * $0) }
        case .hardsigmoid: unsafe Self.map(x, count) { min(max(alpha * $0 + beta, 0), 1) }
        case .elu: unsafe Self.map(x, count) { $0 < 0 ? alpha * expm1f($0) : $0 }
        case .softsign: unsafe Self.map(x, count) { $0 / (1 + abs($0)) }
        case .softplus: unsafe Self.map(x, count) { max($0, 0) + log1pf(expf(-abs($0))) }
        }
    }

    @inline(__always)
    @unsafe private static func map(_ x: UnsafeMutablePointer<Float>, _ count: Int, _ body: (Float) -> Float) {
        for index in 0..<count { unsafe x[index] = body(x[index]) }
    }
}
