internal import ConverterKit
internal import Glibc

/// What the models of ai.onnx.ml do to the scores of a row.
enum PostTransform: String {
    case none = "NONE"
    case logistic = "LOGISTIC"
    case softmax = "SOFTMAX"
    case softmaxZero = "SOFTMAX_ZERO"
    case probit = "PROBIT"

    init(_ attributes: AttributeList) throws {
        let name = attributes.string("post_transform") ?? "NONE"
        guard let value = Self(rawValue: name) else { throw ExecutionError.attribute("post_transform is \(name)") }
        self = value
    }

    func apply(_ scores: inout ArraySlice<Float>) {
        switch self {
        case .none: break
        case .logistic: for index in scores.indices { scores[index] = Self.logistic(scores[index]) }
        case .probit: for index in scores.indices { scores[index] = Self.probit(scores[index]) }
        case .softmax, .softmaxZero:
            guard let top = scores.max() else { return }
            for index in scores.indices {
                // Scores of zero stay so where that is asked for.
                let isKept = self == .softmaxZero && abs(scores[index]) <= 1e-7
                scores[index] = isKept ? scores[index] * expf(-top) : expf(scores[index] - top)
            }
            let sum = scores.reduce(0, +)
            for index in scores.indices { scores[index] = sum == 0 ? 0.5 : scores[index] / sum }
        }
    }

    static func logistic(_ x: Float) -> Float {
        let value = 1 / (1 + expf(-abs(x)))
        return x < 0 ? 1 - value : value
    }

    /// By Winitzki's approximation of the inverse error function, as the runtimes have it.
    static func probit(_ p: Float) -> Float {
        let x = 2 * p - 1
        let rest = (1 - x) * (1 + x)
        guard rest != 0 else { return 0 }
        let logarithm = logf(rest)
        let first = 2 / (Float.pi * 0.147) + 0.5 * logarithm
        return 1.41421356 * (x < 0 ? -1 : 1) * (-first + (first * first - logarithm / 0.147).squareRoot()).squareRoot()
    }
}

/// The classes of a classifier.
enum ClassLabels {
    case integers([Int])
    case strings([String])

    init(_ attributes: AttributeList, integers: String, strings: String) throws {
        if let names = attributes.strings(strings), !names.isEmpty {
            self = .strings(names)
        } else if let numbers = attributes.ints(integers), !numbers.isEmpty {
            self = .integers(numbers)
        } else {
            throw ExecutionError.attribute("a classifier has no classes")
        }
    }

    var count: Int {
        switch self {
        case .integers(let values): values.count
        case .strings(let values): values.count
        }
    }

    /// The labels of the classes with these numbers; a number without a class is the label 0 or "".
    func tensor(_ classes: [Int]) throws -> TensorValue {
        switch self {
        case .integers(let values):
            try TensorValue(
                classes.map { values.indices.contains($0) ? Int64(values[$0]) : 0 }, shape: [classes.count])
        case .strings(let values):
            try TensorValue(
                strings: classes.map { values.indices.contains($0) ? values[$0] : "" }, shape: [classes.count])
        }
    }
}
