internal import ConverterKit
internal import Glibc

/// What the numbers of a classifier's first output are.
enum ScoreKind: String, Sendable {
    case logits
    case probabilities
    case logProbabilities = "log-probabilities"

    /// By the operator that computes the output.
    init(of model: Model) {
        self = .logits
        guard var name = model.graph.outputs.first?.name else { return }
        for node in model.graph.nodes.reversed() where node.outputs.contains(name) {
            switch node.operation {
            case "Softmax": self = .probabilities
            case "LogSoftmax": self = .logProbabilities
            case "Identity", "Cast", "Reshape", "Squeeze", "Flatten":
                guard let input = node.inputs.first else { return }
                name = input
                continue
            default: break
            }
            return
        }
    }

    /// `−log p(label)`.
    func crossEntropy(_ row: ArraySlice<Float>, label: Int) -> Double {
        let score = Double(row[row.startIndex + label])
        switch self {
        case .probabilities: return -log(max(score, 1e-38))
        case .logProbabilities: return -score
        case .logits:
            let largest = Double(row.max() ?? 0)
            return log(row.reduce(0.0) { $0 + exp(Double($1) - largest) }) + largest - score
        }
    }
}

/// Loss and top-1 of a classifier, added up batch by batch.
struct ClassifierScore: Sendable {
    let kind: ScoreKind
    private var lossSum = 0.0
    private(set) var correct = 0
    private(set) var samples = 0

    init(_ kind: ScoreKind) { self.kind = kind }

    /// Throws `data.labels` when the first output is no row of scores for each sample, or a label is no class of it.
    mutating func add(_ outputs: [OutputValues], labels: ArraySlice<Int>) throws(ConversionError) {
        guard let rows = outputs.first?.rows(samples: labels.count) else {
            throw DataError.labels("the model's first output is no row of scores for each sample")
        }
        for (row, label) in zip(rows, labels) {
            guard label >= 0, label < row.count else {
                throw DataError.labels("the label \(label) is no class of a model of \(row.count) classes")
            }
            lossSum += kind.crossEntropy(row, label: label)
            correct += row.largest == label ? 1 : 0
            samples += 1
        }
    }

    /// Mean cross-entropy.
    var loss: Double { samples > 0 ? lossSum / Double(samples) : 0 }
    /// Percent.
    var top1: Double { samples > 0 ? 100 * Double(correct) / Double(samples) : 0 }
}
