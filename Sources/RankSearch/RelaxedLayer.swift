/// One layer of the relaxed problem (`RelaxedLoss`). Its logits: those of each family in turn, then one for each family
/// and one for the dense layer.
struct RelaxedLayer: Sendable {
    var id: String
    var families: [RelaxedFamily]
    /// By resource, the share of the model of the dense layer.
    var denseShares: [Double]

    var logitCount: Int { families.reduce(1) { $0 + $1.errors.count + 1 } }

    /// Start of the logits between families, relative to the layer's first.
    var upperOffset: Int { families.reduce(0) { $0 + $1.errors.count } }

    /// Fills the probabilities in `range`, adds the expected cost to `shares`, leaves `∂E` by probability in the
    /// gradient, and returns the layer's error `E`.
    func evaluate(
        _ logits: [Double], _ range: Range<Int>, blend: Double, shares: inout [Double],
        into point: inout RelaxedLoss.Point
    ) -> Double {
        let upper = range.lowerBound + upperOffset
        Softmax.apply(logits, upper..<range.upperBound, into: &point.probabilities)
        var lower = range.lowerBound
        var mixtures: [Double] = []
        var expectations: [Double] = []
        for family in families {
            let own = lower..<(lower + family.errors.count)
            Softmax.apply(logits, own, into: &point.probabilities)
            // Leaves ∂M/∂p in the gradient.
            mixtures.append(family.mixture(own, &point))
            expectations.append(family.expectation(of: family.errors, own, point.probabilities))
            lower = own.upperBound
        }
        var factorized = 0.0
        var mixed = 0.0
        var expected = 0.0
        for index in families.indices {
            let share = point.probabilities[upper + index]
            factorized += share
            mixed += share * mixtures[index]
            expected += share * expectations[index]
        }
        lower = range.lowerBound
        for (index, family) in families.enumerated() {
            let weight = point.probabilities[upper + index]
            for option in family.errors.indices {
                point.gradient[lower + option] =
                    weight
                    * ((1 - blend) * factorized * point.gradient[lower + option] + blend * family.errors[option])
            }
            point.gradient[upper + index] =
                (1 - blend) * (mixed + factorized * mixtures[index]) + blend * expectations[index]
            for resource in shares.indices {
                shares[resource] += weight * family.share(lower, resource, point.probabilities)
            }
            lower += family.errors.count
        }
        point.gradient[range.upperBound - 1] = 0
        for resource in shares.indices {
            shares[resource] += point.probabilities[range.upperBound - 1] * denseShares[resource]
        }
        return (1 - blend) * factorized * mixed + blend * expected
    }

    /// Turns `∂E` by probability into the gradient of the loss by logit.
    func finishGradient(
        _ range: Range<Int>, errorSlope: Double, shareSlopes: [Double], in point: inout RelaxedLoss.Point
    ) {
        let upper = range.lowerBound + upperOffset
        var lower = range.lowerBound
        for (index, family) in families.enumerated() {
            let weight = point.probabilities[upper + index]
            let count = family.errors.count
            point.gradient[upper + index] *= errorSlope
            for option in 0..<count { point.gradient[lower + option] *= errorSlope }
            for resource in shareSlopes.indices {
                let slope = shareSlopes[resource]
                point.gradient[upper + index] += slope * family.share(lower, resource, point.probabilities)
                let start = resource * count
                for option in 0..<count {
                    point.gradient[lower + option] += weight * slope * family.shares[start + option]
                }
            }
            Softmax.pullBack(lower..<(lower + count), &point)
            lower += count
        }
        let dense = range.upperBound - 1
        for resource in shareSlopes.indices {
            point.gradient[dense] += shareSlopes[resource] * denseShares[resource]
        }
        Softmax.pullBack(upper..<range.upperBound, &point)
    }
}
