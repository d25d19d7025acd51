internal import ConverterKit

/// Tree ensembles of ai.onnx.ml.
enum TreeOperators {
    static let all = [classifier, regressor]

    private struct Rows {
        let values: [Float]
        let count: Int
        let features: Int

        init(_ tensor: TensorValue) throws {
            guard tensor.shape.count == 1 || tensor.shape.count == 2 else {
                throw ExecutionError.shape("a tree ensemble of \(tensor.shape)")
            }
            values = try tensor.floats()
            features = tensor.shape.last ?? 0
            count = tensor.shape.count == 2 ? tensor.shape[0] : 1
        }

        subscript(row: Int) -> ArraySlice<Float> { values[row * features..<(row + 1) * features] }
    }

    private static func baseValues(_ attributes: AttributeList) throws -> [Float] {
        try attributes.floats("base_values") ?? attributes.tensor("base_values_as_tensor")?.floats() ?? []
    }

    static let regressor = Operator(evaluating: "TreeEnsembleRegressor", domain: "ai.onnx.ml") { call in
        let attributes = call.attributes
        let rows = try Rows(call.tensor(0))
        let targets = attributes.int("n_targets", otherwise: 1)
        guard targets > 0, targets < 1 << 20 else { throw ExecutionError.attribute("n_targets is \(targets)") }
        let trees = try TreeEnsemble(attributes, kind: "target", features: rows.features, targets: targets)
        let base = try baseValues(attributes)
        guard base.isEmpty || base.count == targets else { throw ExecutionError.attribute("base_values") }
        let function = attributes.string("aggregate_function") ?? "SUM"
        let transform = try PostTransform(attributes)
        var result: [Float] = []
        for row in 0..<rows.count {
            var sums = [Float](repeating: 0, count: targets)
            var isVoted = [Bool](repeating: false, count: targets)
            try trees.vote(rows[row]) { vote in
                let old = sums[vote.target]
                switch function {
                case "MIN" where isVoted[vote.target]: sums[vote.target] = min(old, vote.weight)
                case "MAX" where isVoted[vote.target]: sums[vote.target] = max(old, vote.weight)
                default: sums[vote.target] = old + vote.weight
                }
                isVoted[vote.target] = true
            }
            if function == "AVERAGE" { for target in 0..<targets { sums[target] /= Float(trees.treeCount) } }
            for (target, value) in base.enumerated() { sums[target] += value }
            transform.apply(&sums[...])
            result += sums
        }
        return [.tensor(try TensorValue(result, shape: [rows.count, targets]))]
    }

    static let classifier = Operator(evaluating: "TreeEnsembleClassifier", domain: "ai.onnx.ml") { call in
        let attributes = call.attributes
        let rows = try Rows(call.tensor(0))
        let labels = try ClassLabels(
            attributes, integers: "classlabels_int64s", strings: "classlabels_strings")
        let classes = labels.count
        let trees = try TreeEnsemble(attributes, kind: "class", features: rows.features, targets: max(classes, 2))
        let base = try baseValues(attributes)
        let transform = try PostTransform(attributes)
        // Of two classes only one is voted for: the first, and the other's score is what is left, or the second.
        let voted = Set(trees.votes.map(\.target))
        let isBinary = classes <= 2 && voted.count <= 1
        let isComplement = isBinary && voted != [1]
        let isPositive = trees.votes.allSatisfy { $0.weight >= 0 }
        guard base.isEmpty || base.count == classes || (isBinary && base.count == 1) else {
            throw ExecutionError.attribute("base_values of TreeEnsembleClassifier")
        }
        var scores: [Float] = []
        var chosen: [Int] = []
        for row in 0..<rows.count {
            var sums = [Float](repeating: 0, count: max(classes, 2))
            var total: Float = 0
            try trees.vote(rows[row]) { vote in
                sums[vote.target] += vote.weight
                total += vote.weight
            }
            if isBinary {
                let score = total + (base.last ?? 0)
                chosen.append(score > (isPositive ? 0.5 : 0) ? 1 : 0)
                if !isComplement {
                    sums = [0, score]
                    transform.apply(&sums[...])
                    scores += sums
                } else if transform == .logistic {
                    scores += [PostTransform.logistic(-score), PostTransform.logistic(score)]
                } else if transform == .probit {
                    scores += [1 - PostTransform.probit(score), PostTransform.probit(score)]
                } else {
                    scores += isPositive ? [1 - score, score] : [-score, score]
                }
                continue
            }
            for (target, value) in base.enumerated() { sums[target] += value }
            chosen.append(sums.indices.max { sums[$0] < sums[$1] || (sums[$0] == sums[$1] && $0 > $1) } ?? 0)
            transform.apply(&sums[...])
            scores += sums
        }
        return [
            .tensor(try labels.tensor(chosen)), .tensor(try TensorValue(scores, shape: [rows.count, max(classes, 2)])),
        ]
    }
}
