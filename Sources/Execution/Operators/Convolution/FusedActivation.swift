internal import ConverterKit
internal import Glibc

/// The function that an operator of com.microsoft applies to its result, by `activation` and `activation_params`.
enum FusedActivation {
    case none, relu, tanh, sigmoid
    case leakyRelu(Float)
    case clip(Float, Float)
    case hardSigmoid(Float, Float)

    init(_ attributes: AttributeList) throws {
        let name = attributes.string("activation") ?? ""
        let numbers = attributes.floats("activation_params") ?? []
        func number(_ index: Int, otherwise value: Float) -> Float {
            numbers.indices.contains(index) ? numbers[index] : value
        }
        switch name {
        case "": self = .none
        case "Relu": self = .relu
        case "Tanh": self = .tanh
        case "Sigmoid": self = .sigmoid
        case "LeakyRelu": self = .leakyRelu(number(0, otherwise: 0.01))
        case "Clip": self = .clip(number(0, otherwise: -.infinity), number(1, otherwise: .infinity))
        case "HardSigmoid": self = .hardSigmoid(number(0, otherwise: 0.2), number(1, otherwise: 0.5))
        default: throw ExecutionError.unsupported("the activation \(name) is not executed")
        }
    }

    @unsafe func apply(_ y: UnsafeMutablePointer<Float>, _ count: Int) {
        switch self {
        case .none: break
        case .relu: for index in 0..<count { unsafe y[index] = y[index] < 0 ? 0 : y[index] }
        case .tanh: for index in 0..<count { unsafe y[index] = Glibc.tanhf(y[index]) }
        case .sigmoid: for index in 0..<count { unsafe y[index] = 1 / (1 + expf(-y[index])) }
        case .leakyRelu(let slope):
            for index in 0..<count { unsafe y[index] = y[index] < 0 ? slope * y[index] : y[index] }
        case .clip(let low, let high):
            for index in 0..<count { unsafe y[index] = min(max(y[index], low), high) }
        case .hardSigmoid(let slope, let shift):
            for index in 0..<count { unsafe y[index] = min(max(slope * y[index] + shift, 0), 1) }
        }
    }
}
