internal import ConverterKit

/// Linear models of ai.onnx.ml: `scores = X·Cᵀ + intercepts`.
enum LinearModelOperators {
    static let all = [classifier, regressor]

    private static func scores(_ call: Evaluation, targets: Int) throws -> (values: [Float], rows: Int) {
        let input = try call.tensor(0)
        guard input.shape.count == 1 || input.shape.count == 2, targets > 0 else {
            throw ExecutionError.shape("\(call.use.key) of \(input.shape)")
        }
        let features = input.shape.last ?? 0
        let rows = input.shape.count == 2 ? input.shape[0] : 1
        let coefficients = call.attributes.floats("coefficients") ?? []
        let intercepts = call.attributes.floats("intercepts") ?? []
        let (wanted, overflow) = targets.multipliedReportingOverflow(by: features)
        guard !overflow, coefficients.count == wanted, intercepts.isEmpty || intercepts.count == targets else {
            throw ExecutionError.attribute("the coefficients of \(call.use.key) are not for \(features) features")
        }
        let x = try input.floats()
        var values: [Float] = []
        for row in 0..<rows {
            for target in 0..<targets {
                var sum = intercepts.isEmpty ? 0 : intercepts[target]
                for index in 0..<features { sum += x[row * features + index] * coefficients[target * features + index] }
                values.append(sum)
            }
        }
        return (values, rows)
    }

    static let regressor = Operator(evaluating: "LinearRegressor", domain: "ai.onnx.ml") { call in
        let targets = call.attributes.int("targets", otherwise: 1)
        var (values, rows) = try scores(call, targets: targets)
        let transform = try PostTransform(call.attributes)
        for row in 0..<rows { transform.apply(&values[row * targets..<(row + 1) * targets]) }
        return [.tensor(try TensorValue(values, shape: [rows, targets]))]
    }

    static let classifier = Operator(evaluating: "LinearClassifier", domain: "ai.onnx.ml") { call in
        let labels = try ClassLabels(call.attributes, integers: "classlabels_ints", strings: "classlabels_strings")
        let features = try call.tensor(0).shape.last ?? 0
        let targets = (call.attributes.floats("coefficients")?.count ?? 0) / max(1, features)
        var (values, rows) = try scores(call, targets: targets)
        let transform = try PostTransform(call.attributes)
        var width = targets
        if targets == 1, labels.count == 2 {
            values = values.flatMap { [-$0, $0] }
            width = 2
        }
        guard width == 1 || width == labels.count else {
            throw ExecutionError.attribute("LinearClassifier has \(targets) scores for \(labels.count) classes")
        }
        var chosen: [Int] = []
        for row in 0..<rows {
            let range = row * width..<(row + 1) * width
            transform.apply(&values[range])
            if width == 1 {
                // The only label, or none.
                chosen.append(values[row] >= (transform == .none ? 0 : 0.5) ? 0 : -1)
            } else {
                let best = range.max { values[$0] < values[$1] || (values[$0] == values[$1] && $0 > $1) } ?? 0
                chosen.append(best - range.lowerBound)
            }
        }
        return [.tensor(try labels.tensor(chosen)), .tensor(try TensorValue(values, shape: [rows, width]))]
    }
}
