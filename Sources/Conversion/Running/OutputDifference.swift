/// The difference of two models' outputs, added up batch by batch.
struct OutputDifference: Sendable {
    struct Output: Sendable {
        var squaredDifference = 0.0
        var squaredNorm = 0.0
        var largestAbsolute = 0.0
        /// Of a single element, against the larger of its size and the mean size of the output's elements.
        var largestRelative = 0.0
        var isFloating = true

        /// `‖y − ŷ‖ / ‖y‖`; 0 when both are zero.
        var relativeError: Double {
            let ratio = squaredNorm > 0 ? squaredDifference / squaredNorm : squaredDifference
            return ratio.squareRoot()
        }
    }

    private(set) var names: [String] = []
    private(set) var outputs: [String: Output] = [:]
    private var agreeing = 0
    private var compared = 0

    /// Adds a batch. An output whose extents differ counts as wrong altogether.
    mutating func add(_ original: [OutputValues], _ converted: [OutputValues], samples: Int) {
        for (index, output) in original.enumerated() {
            let other = converted.first { $0.name == output.name }
            var sum = outputs[output.name] ?? Output()
            if outputs[output.name] == nil { names.append(output.name) }
            sum.isFloating = output.isFloating
            add(output, other, to: &sum)
            outputs[output.name] = sum
            // The classifier's scores are the first output.
            guard index == 0, let rows = output.rows(samples: samples), output.shape.count == 2,
                let others = other?.rows(samples: samples)
            else { continue }
            compared += samples
            agreeing += zip(rows, others).count { $0.largest == $1.largest }
        }
    }

    private func add(_ a: OutputValues, _ b: OutputValues?, to sum: inout Output) {
        let norm = a.values.reduce(0.0) { $1.isFinite ? $0 + Double($1) * Double($1) : $0 }
        sum.squaredNorm += norm
        guard let b, b.shape == a.shape else {
            sum.squaredDifference += max(norm, 1)
            sum.largestAbsolute = .infinity
            sum.largestRelative = .infinity
            return
        }
        let typical = a.values.isEmpty ? 0 : (norm / Double(a.values.count)).squareRoot()
        for (x, y) in zip(a.values, b.values) where x != y && !(x.isNaN && y.isNaN) {
            var difference = abs(Double(x) - Double(y))
            if difference.isNaN { difference = .infinity }
            sum.squaredDifference += difference * difference
            sum.largestAbsolute = max(sum.largestAbsolute, difference)
            sum.largestRelative = max(
                sum.largestRelative, difference / max(abs(Double(x)), typical, .leastNormalMagnitude))
        }
    }

    /// The outputs that count: those of real numbers, where there are any.
    private var counted: [Output] {
        let floating = outputs.values.filter(\.isFloating)
        return floating.isEmpty ? Array(outputs.values) : floating
    }

    /// `‖y − ŷ‖ / ‖y‖`, the largest of an output.
    var relativeError: Double { counted.map(\.relativeError).max() ?? 0 }

    /// `‖y − ŷ‖ / ‖y‖` over all outputs together.
    var overallError: Double {
        var sum = Output()
        for output in counted {
            sum.squaredDifference += output.squaredDifference
            sum.squaredNorm += output.squaredNorm
        }
        return sum.relativeError
    }

    /// Percent of the samples with the same first class; `nil` when the first output is no row of scores for each.
    var agreement: Double? { compared > 0 ? 100 * Double(agreeing) / Double(compared) : nil }
}
